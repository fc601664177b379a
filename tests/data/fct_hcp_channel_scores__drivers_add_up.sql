-- To the raw score; every driver has words.
select
    hcp_id,
    channel,
    driver_explains,
    raw_score,
    expected_impact
from {{ ref('fct_hcp_channel_scores') }}
where abs(
        coalesce(base_value, 0) + coalesce(other_contribution, 0)
        + coalesce(driver_1_contribution, 0) + coalesce(driver_2_contribution, 0) + coalesce(driver_3_contribution, 0)
        + coalesce(driver_4_contribution, 0) + coalesce(driver_5_contribution, 0) - raw_score
    ) > 1e-5 * (1 + abs(raw_score))
    or raw_score is null
    or (driver_1 is not null and driver_1_label is null)
