with

reasons as (select * from {{ ref('explain_plan') }}),

recommendations as (select * from {{ ref('fct_recommendations') }}),

final as (
    select
        recommendations.recommendation_id,
        recommendations.run_id,
        recommendations.cycle_start,
        recommendations.brand_id,
        recommendations.territory_id,
        recommendations.rep_id,
        recommendations.hcp_id,
        recommendations.channel,
        reasons.explains,
        cast(reasons.driver_rank as integer) as driver_rank,
        reasons.feature_name,
        reasons.label,
        reasons.feature_value,
        reasons.contribution,
        reasons.contribution_unit
    from recommendations
    inner join reasons
        on recommendations.hcp_id = reasons.hcp_id and recommendations.channel = reasons.channel
)

select * from final
