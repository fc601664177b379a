-- Territories and channels together make up the whole plan, each action once.
with

by_territory as (
    select
        sum(actions) as actions,
        sum(cost) as cost,
        sum(plan_value) as plan_value
    from {{ ref('fct_territory_summary') }}
),

by_channel as (
    select
        sum(actions) as actions,
        sum(cost) as cost,
        sum(plan_value) as plan_value
    from {{ ref('fct_channel_usage') }}
)

select
    header.actions,
    by_territory.actions as actions_by_territory,
    by_channel.actions as actions_by_channel
from {{ ref('fct_plan_summary') }} as header
cross join by_territory
cross join by_channel
where header.actions != by_territory.actions
    or header.actions != by_channel.actions
    or abs(header.total_cost - by_territory.cost) > 1e-5 * (1 + abs(header.total_cost))
    or abs(header.total_cost - by_channel.cost) > 1e-5 * (1 + abs(header.total_cost))
    or abs(header.objective - by_territory.plan_value) > 1e-5 * (1 + abs(header.objective))
    or abs(header.objective - by_channel.plan_value) > 1e-5 * (1 + abs(header.objective))
