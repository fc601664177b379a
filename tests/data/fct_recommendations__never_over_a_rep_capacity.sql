with

-- rows that overlap can stand for the same limit: it counts once; without a territory `*` stands for none
limits as (
    select distinct
        case when rules.rep_id = '*' then reps.rep_id else rules.rep_id end as rep_id,
        case when rules.territory_id = '*' then territories.territory_id else rules.territory_id end as territory_id,
        case when rules.channel = '*' then channels.channel else rules.channel end as channel,
        rules.max_minutes,
        rules.max_actions
    from {{ ref('stg_rule_rep_capacity') }} as rules
    left join {{ ref('dim_reps') }} as reps on rules.rep_id = '*'
    left join {{ ref('dim_channels') }} as channels on rules.channel = '*' and channels.is_rep_channel
    left join {{ ref('dim_territories') }} as territories on rules.territory_id = '*' and territories.territory_id != 'unassigned'
    where rules.territory_id is null or rules.territory_id != '*' or territories.territory_id is not null
),

-- a limit asks for sums: few rows of them meet the limits, not every action
actions as (
    select
        recommendations.rep_id,
        recommendations.territory_id,
        recommendations.channel,
        channels.is_rep_channel,
        sum(recommendations.rep_minutes) as rep_minutes,
        sum(recommendations.touches) as touches
    from {{ ref('fct_recommendations') }} as recommendations
    inner join {{ ref('dim_channels') }} as channels on recommendations.channel = channels.channel
    where recommendations.rep_id is not null
    group by recommendations.rep_id, recommendations.territory_id, recommendations.channel, channels.is_rep_channel
)

select
    limits.rep_id,
    limits.territory_id,
    limits.channel,
    limits.max_minutes,
    limits.max_actions,
    sum(actions.rep_minutes) as minutes,
    sum(actions.touches) as touches
from limits
inner join actions
    on (limits.rep_id is null or limits.rep_id = actions.rep_id)
    and (limits.territory_id is null or limits.territory_id = actions.territory_id)
    and (limits.channel = actions.channel or (limits.channel is null and actions.is_rep_channel))
group by limits.rep_id, limits.territory_id, limits.channel, limits.max_minutes, limits.max_actions
having sum(actions.rep_minutes) > limits.max_minutes * (1 + 1e-6) + 1e-9
    or sum(actions.touches) > limits.max_actions * (1 + 1e-6)
