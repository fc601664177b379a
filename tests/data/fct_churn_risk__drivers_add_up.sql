-- A probability is there exactly where the status says so, and its drivers sum to the raw score.
select
    hcp_id,
    churn_status,
    churn_probability,
    raw_score
from {{ ref('fct_churn_risk') }}
where (churn_status = 'scored') <> (churn_probability is not null)
    or (churn_status = 'scored' and (raw_score is null or not is_at_risk))
    or abs(
        coalesce(base_value, 0) + coalesce(other_contribution, 0)
        + coalesce(driver_1_contribution, 0) + coalesce(driver_2_contribution, 0) + coalesce(driver_3_contribution, 0)
        + coalesce(driver_4_contribution, 0) + coalesce(driver_5_contribution, 0) - raw_score
    ) > 1e-5 * (1 + abs(raw_score))
