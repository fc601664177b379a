-- Territories and channels together make up the whole plan, each action and each touch once.
with

planned as (select coalesce(sum(touches), 0) as touches from {{ ref('fct_recommendations') }}),

by_territory as (
    select
        sum(actions) as actions,
        sum(touches) as touches,
        sum(cost) as cost,
        sum(plan_value) as plan_value
    from {{ ref('fct_territory_summary') }}
),

by_channel as (
    select
        sum(actions) as actions,
        sum(touches) as touches,
        sum(cost) as cost,
        sum(plan_value) as plan_value
    from {{ ref('fct_channel_usage') }}
)

select
    header.actions,
    by_territory.actions as actions_by_territory,
    by_channel.actions as actions_by_channel,
    planned.touches,
    by_territory.touches as touches_by_territory,
    by_channel.touches as touches_by_channel
from {{ ref('fct_plan_summary') }} as header
cross join planned
cross join by_territory
cross join by_channel
where header.actions != by_territory.actions
    or header.actions != by_channel.actions
    or planned.touches != by_territory.touches
    or planned.touches != by_channel.touches
    or abs(header.total_cost - by_territory.cost) > 1e-5 * (1 + abs(header.total_cost))
    or abs(header.total_cost - by_channel.cost) > 1e-5 * (1 + abs(header.total_cost))
    or abs(header.objective - by_territory.plan_value) > 1e-5 * (1 + abs(header.objective))
    or abs(header.objective - by_channel.plan_value) > 1e-5 * (1 + abs(header.objective))
