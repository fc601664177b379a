with

hcps as (select * from {{ ref('dim_hcps') }}),

facts as (select * from {{ ref('feat_churn') }} where is_scoring),

score as (select * from {{ ref('score_churn') }}),

model as (select * from {{ ref('churn_model') }}),

labels as (select * from {{ ref('stg_feature_definition') }}),

final as (
    select
        hcps.run_id,
        hcps.cycle_start,
        hcps.brand_id,
        hcps.territory_id,
        hcps.rep_id,
        hcps.hcp_id,
        facts.is_at_risk,
        case
            when facts.baseline_kpi is null then 'unknown'
            when not facts.is_at_risk then 'not_at_risk'
            when score.churn_probability is null then 'no_model'
            else 'scored'
        end as churn_status,
        score.churn_probability,
        facts.baseline_kpi,
        score.raw_score,
        score.base_value,
        score.driver_1,
        label_1.label as driver_1_label,
        score.driver_1_value,
        score.driver_1_contribution,
        score.driver_2,
        label_2.label as driver_2_label,
        score.driver_2_value,
        score.driver_2_contribution,
        score.driver_3,
        label_3.label as driver_3_label,
        score.driver_3_value,
        score.driver_3_contribution,
        score.driver_4,
        label_4.label as driver_4_label,
        score.driver_4_value,
        score.driver_4_contribution,
        score.driver_5,
        label_5.label as driver_5_label,
        score.driver_5_value,
        score.driver_5_contribution,
        score.other_contribution,
        model.model_version
    from hcps
    inner join facts on hcps.hcp_id = facts.hcp_id
    cross join model
    left join score on hcps.hcp_id = score.hcp_id
    left join labels as label_1 on score.driver_1 = label_1.feature_name
    left join labels as label_2 on score.driver_2 = label_2.feature_name
    left join labels as label_3 on score.driver_3 = label_3.feature_name
    left join labels as label_4 on score.driver_4 = label_4.feature_name
    left join labels as label_5 on score.driver_5 = label_5.feature_name
)

select * from final
