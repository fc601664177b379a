with

territories as (select * from {{ ref('dim_territories') }}),

recommendations as (select * from {{ ref('fct_recommendations') }}),

scores as (select * from {{ ref('fct_hcp_channel_scores') }}),

eligible as (
    select
        territory_id,
        count(*) as eligible_pairs
    from scores
    where is_eligible
    group by territory_id
),

planned as (
    select
        territory_id,
        count(*) as actions,
        sum(touches) as touches,
        count(distinct hcp_id) as hcps_reached,
        {{ exact_sum('cost') }} as cost,
        {{ exact_sum('rep_minutes') }} as rep_minutes,
        {{ exact_sum('plan_value') }} as plan_value,
        {{ exact_sum('expected_impact * touches') }} as expected_impact
    from recommendations
    group by territory_id
),

final as (
    select
        territories.run_id,
        territories.cycle_start,
        territories.territory_id,
        territories.hcps,
        cast(coalesce(eligible.eligible_pairs, 0) as integer) as eligible_pairs,
        cast(coalesce(planned.actions, 0) as integer) as actions,
        cast(coalesce(planned.touches, 0) as integer) as touches,
        cast(coalesce(planned.hcps_reached, 0) as integer) as hcps_reached,
        cast(coalesce(planned.cost, 0) as double precision) as cost,
        cast(coalesce(planned.rep_minutes, 0) as double precision) as rep_minutes,
        cast(coalesce(planned.plan_value, 0) as double precision) as plan_value,
        cast(coalesce(planned.expected_impact, 0) as double precision) as expected_impact,
        cast(coalesce(planned.hcps_reached, 0) as double precision) / territories.hcps as share_reached
    from territories
    left join eligible on territories.territory_id = eligible.territory_id
    left join planned on territories.territory_id = planned.territory_id
)

select * from final
