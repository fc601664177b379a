with

pairs as (select * from {{ ref('plan_pairs') }}),

impact as (select * from {{ ref('score_impact') }}),

engagement as (select * from {{ ref('score_engagement') }}),

actions as (select * from {{ ref('plan_actions') }}),

labels as (select * from {{ ref('stg_feature_definition') }}),

hcps as (select * from {{ ref('dim_hcps') }}),

-- without an engagement probability, or where nothing moves it, the three factors of the impact take the place of the model's drivers
explained as (
    select
        pairs.*,
        engagement.driver_1 is not null as is_engagement
    from pairs
    left join engagement on pairs.hcp_id = engagement.hcp_id and pairs.channel = engagement.channel
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
        impact.impact_engagement,
        impact.impact_kpi,
        explained.is_eligible,
        explained.blocked_by,
        explained.earliest_date,
        explained.latest_date,
        actions.hcp_id is not null as is_planned,
        engagement.model_version,
        case when explained.is_engagement then 'engagement' else 'impact' end as driver_explains,
        case when explained.is_engagement then engagement.raw_score else impact.expected_impact end as raw_score,
        case when explained.is_engagement then engagement.base_value else 0 end as base_value,
        case when explained.is_engagement then engagement.driver_1 else 'catalogue_base' end as driver_1,
        case when explained.is_engagement then label_1.label else coalesce(base_label.label, 'catalogue_base') end as driver_1_label,
        case when explained.is_engagement then engagement.driver_1_value else {{ plain_number('impact.impact_base') }} end as driver_1_value,
        case when explained.is_engagement then engagement.driver_1_contribution else impact.impact_base end as driver_1_contribution,
        case when explained.is_engagement then engagement.driver_2 else 'engagement_factor' end as driver_2,
        case when explained.is_engagement then label_2.label else coalesce(engagement_label.label, 'engagement_factor') end as driver_2_label,
        case when explained.is_engagement then engagement.driver_2_value else {{ plain_number('impact.engagement_factor') }} end as driver_2_value,
        case when explained.is_engagement then engagement.driver_2_contribution else impact.impact_engagement end as driver_2_contribution,
        case when explained.is_engagement then engagement.driver_3 else 'kpi_factor' end as driver_3,
        case when explained.is_engagement then label_3.label else coalesce(kpi_label.label, 'kpi_factor') end as driver_3_label,
        case when explained.is_engagement then engagement.driver_3_value else {{ plain_number('impact.kpi_factor') }} end as driver_3_value,
        case when explained.is_engagement then engagement.driver_3_contribution else impact.impact_kpi end as driver_3_contribution,
        case when explained.is_engagement then engagement.driver_4 end as driver_4,
        case when explained.is_engagement then label_4.label end as driver_4_label,
        case when explained.is_engagement then engagement.driver_4_value end as driver_4_value,
        case when explained.is_engagement then engagement.driver_4_contribution end as driver_4_contribution,
        case when explained.is_engagement then engagement.driver_5 end as driver_5,
        case when explained.is_engagement then label_5.label end as driver_5_label,
        case when explained.is_engagement then engagement.driver_5_value end as driver_5_value,
        case when explained.is_engagement then engagement.driver_5_contribution end as driver_5_contribution,
        case when explained.is_engagement then engagement.other_contribution else 0 end as other_contribution
    from explained
    inner join hcps on explained.hcp_id = hcps.hcp_id
    left join impact on explained.hcp_id = impact.hcp_id and explained.channel = impact.channel
    left join engagement on explained.hcp_id = engagement.hcp_id and explained.channel = engagement.channel
    left join actions on explained.hcp_id = actions.hcp_id and explained.channel = actions.channel
    left join labels as label_1 on engagement.driver_1 = label_1.feature_name
    left join labels as label_2 on engagement.driver_2 = label_2.feature_name
    left join labels as label_3 on engagement.driver_3 = label_3.feature_name
    left join labels as label_4 on engagement.driver_4 = label_4.feature_name
    left join labels as label_5 on engagement.driver_5 = label_5.feature_name
    left join labels as base_label on base_label.feature_name = 'catalogue_base'
    left join labels as engagement_label on engagement_label.feature_name = 'engagement_factor'
    left join labels as kpi_label on kpi_label.feature_name = 'kpi_factor'
)

select * from final
