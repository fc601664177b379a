with

pairs as (select * from {{ ref('plan_pairs') }}),

impact as (select * from {{ ref('score_impact') }}),

engagement as (select * from {{ ref('score_engagement') }}),

actions as (select * from {{ ref('plan_actions') }}),

labels as (select * from {{ ref('stg_feature_definition') }}),

hcps as (select * from {{ ref('dim_hcps') }}),

-- without an engagement probability, or where nothing moves it, the drivers of the impact take the place of the model's
explained as (
    select
        pairs.*,
        engagement.driver_1 is not null as is_engagement
    from pairs
    left join engagement on pairs.hcp_id = engagement.hcp_id and pairs.channel = engagement.channel
),

drivers as (
    select
        explained.hcp_id,
        explained.channel,
        explained.is_engagement,
        case when explained.is_engagement then engagement.driver_1 else impact.impact_driver_1 end as driver_1,
        case when explained.is_engagement then engagement.driver_1_value else impact.impact_driver_1_value end as driver_1_value,
        case
            when explained.is_engagement then engagement.driver_1_contribution
            else impact.impact_driver_1_contribution
        end as driver_1_contribution,
        case when explained.is_engagement then engagement.driver_2 else impact.impact_driver_2 end as driver_2,
        case when explained.is_engagement then engagement.driver_2_value else impact.impact_driver_2_value end as driver_2_value,
        case
            when explained.is_engagement then engagement.driver_2_contribution
            else impact.impact_driver_2_contribution
        end as driver_2_contribution,
        case when explained.is_engagement then engagement.driver_3 else impact.impact_driver_3 end as driver_3,
        case when explained.is_engagement then engagement.driver_3_value else impact.impact_driver_3_value end as driver_3_value,
        case
            when explained.is_engagement then engagement.driver_3_contribution
            else impact.impact_driver_3_contribution
        end as driver_3_contribution,
        case when explained.is_engagement then engagement.driver_4 else impact.impact_driver_4 end as driver_4,
        case when explained.is_engagement then engagement.driver_4_value else impact.impact_driver_4_value end as driver_4_value,
        case
            when explained.is_engagement then engagement.driver_4_contribution
            else impact.impact_driver_4_contribution
        end as driver_4_contribution,
        case when explained.is_engagement then engagement.driver_5 else impact.impact_driver_5 end as driver_5,
        case when explained.is_engagement then engagement.driver_5_value else impact.impact_driver_5_value end as driver_5_value,
        case
            when explained.is_engagement then engagement.driver_5_contribution
            else impact.impact_driver_5_contribution
        end as driver_5_contribution
    from explained
    left join impact on explained.hcp_id = impact.hcp_id and explained.channel = impact.channel
    left join engagement on explained.hcp_id = engagement.hcp_id and explained.channel = engagement.channel
),

final as (
    select
        hcps.run_id,
        hcps.cycle_start,
        hcps.brand_id,
        hcps.territory_id,
        hcps.rep_id,
        explained.hcp_id,
        explained.channel,
        engagement.engagement_probability,
        impact.expected_impact,
        impact.expected_impact_low,
        impact.expected_impact_high,
        impact.expected_impact_long,
        impact.impact_base,
        impact.impact_status,
        explained.is_eligible,
        explained.blocked_by,
        explained.earliest_date,
        explained.latest_date,
        actions.hcp_id is not null as is_planned,
        engagement.model_version,
        case when explained.is_engagement then 'engagement' else 'impact' end as driver_explains,
        case when explained.is_engagement then engagement.raw_score else impact.expected_impact end as raw_score,
        case when explained.is_engagement then engagement.base_value else impact.impact_base end as base_value,
        drivers.driver_1,
        coalesce(label_1.label, drivers.driver_1) as driver_1_label,
        drivers.driver_1_value,
        drivers.driver_1_contribution,
        drivers.driver_2,
        coalesce(label_2.label, drivers.driver_2) as driver_2_label,
        drivers.driver_2_value,
        drivers.driver_2_contribution,
        drivers.driver_3,
        coalesce(label_3.label, drivers.driver_3) as driver_3_label,
        drivers.driver_3_value,
        drivers.driver_3_contribution,
        drivers.driver_4,
        coalesce(label_4.label, drivers.driver_4) as driver_4_label,
        drivers.driver_4_value,
        drivers.driver_4_contribution,
        drivers.driver_5,
        coalesce(label_5.label, drivers.driver_5) as driver_5_label,
        drivers.driver_5_value,
        drivers.driver_5_contribution,
        case when explained.is_engagement then engagement.other_contribution else impact.impact_other end as other_contribution
    from explained
    inner join hcps on explained.hcp_id = hcps.hcp_id
    left join impact on explained.hcp_id = impact.hcp_id and explained.channel = impact.channel
    left join engagement on explained.hcp_id = engagement.hcp_id and explained.channel = engagement.channel
    left join actions on explained.hcp_id = actions.hcp_id and explained.channel = actions.channel
    inner join drivers on explained.hcp_id = drivers.hcp_id and explained.channel = drivers.channel
    left join labels as label_1 on drivers.driver_1 = label_1.feature_name
    left join labels as label_2 on drivers.driver_2 = label_2.feature_name
    left join labels as label_3 on drivers.driver_3 = label_3.feature_name
    left join labels as label_4 on drivers.driver_4 = label_4.feature_name
    left join labels as label_5 on drivers.driver_5 = label_5.feature_name
)

select * from final
