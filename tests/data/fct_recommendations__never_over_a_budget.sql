with

-- rows that overlap can stand for the same limit: it counts once; without a territory `*` stands for none
limits as (
    select distinct
        case when rules.channel = '*' then channels.channel else rules.channel end as channel,
        case when rules.territory_id = '*' then territories.territory_id else rules.territory_id end as territory_id,
        rules.max_cost
    from {{ ref('stg_rule_budget') }} as rules
    left join {{ ref('dim_channels') }} as channels on rules.channel = '*'
    left join {{ ref('dim_territories') }} as territories on rules.territory_id = '*' and territories.territory_id != 'unassigned'
    where rules.territory_id is null or rules.territory_id != '*' or territories.territory_id is not null
),

-- a limit asks for sums: few rows of them meet the limits, not every action
actions as (
    select
        channel,
        territory_id,
        sum(cost) as cost
    from {{ ref('fct_recommendations') }}
    group by channel, territory_id
)

select
    limits.channel,
    limits.territory_id,
    limits.max_cost,
    sum(actions.cost) as used
from limits
inner join actions
    on (limits.channel is null or limits.channel = actions.channel)
    and (limits.territory_id is null or limits.territory_id = actions.territory_id)
group by limits.channel, limits.territory_id, limits.max_cost
having sum(actions.cost) > limits.max_cost + 1e-6 * abs(limits.max_cost) + 1e-9
