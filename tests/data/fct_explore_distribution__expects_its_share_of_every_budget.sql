-- Recomputed from the rule tables: what exploring is expected to cost is at most resource_share of every budget.
with

explore as (
    select
        distribution.channel,
        hcps.territory_id,
        distribution.propensity * catalog.unit_cost as expected_cost
    from {{ ref('fct_explore_distribution') }} as distribution
    inner join {{ ref('stg_catalog') }} as catalog on distribution.channel = catalog.channel
    inner join {{ ref('stg_hcp_master') }} as hcps on distribution.hcp_id = hcps.hcp_id
),

budgets as (select * from {{ ref('stg_rule_budget') }}),

allowed as (
    select resource_share
    from {{ ref('stg_rule_holdout') }}
    where arm = 'explore'
),

-- a star is a budget for each: the key of the row that it then stands for
expected as (
    select
        budgets.channel,
        budgets.territory_id,
        budgets.max_cost,
        case when budgets.channel = '*' then explore.channel end as each_channel,
        case when budgets.territory_id = '*' then explore.territory_id end as each_territory,
        sum(explore.expected_cost) as expected_cost
    from budgets
    inner join explore
        on (budgets.channel is null or budgets.channel in ('*', explore.channel))
        and (budgets.territory_id is null or budgets.territory_id = explore.territory_id or (budgets.territory_id = '*' and explore.territory_id is not null))
    group by
        budgets.channel,
        budgets.territory_id,
        budgets.max_cost,
        case when budgets.channel = '*' then explore.channel end,
        case when budgets.territory_id = '*' then explore.territory_id end
)

select expected.*
from expected
cross join allowed
where expected.expected_cost > allowed.resource_share * expected.max_cost * 1.000001
