with

floors as (
    select
        case when rules.territory_id = '*' then territories.territory_id else rules.territory_id end as territory_id,
        rules.attribute,
        coalesce(rules.operator, '=') as operator,
        rules.value,
        rules.channel,
        rules.min_hcps
    from {{ ref('stg_rule_coverage_floor') }} as rules
    left join {{ ref('dim_territories') }} as territories on rules.territory_id = '*' and territories.territory_id != 'unassigned'
    -- a value `*` with = asks each value separately; the plan's own limits say what became of those
    where rules.hardness = 'hard'
        and (rules.attribute is null or rules.value is null or rules.value != '*')
        and (rules.territory_id is null or rules.territory_id != '*' or territories.territory_id is not null)
),

reached as (
    select
        actions.hcp_id,
        actions.channel,
        actions.territory_id,
        channels.is_rep_channel
    from {{ ref('fct_recommendations') }} as actions
    inner join {{ ref('dim_channels') }} as channels on actions.channel = channels.channel
),

counted as (
    select
        floors.territory_id,
        floors.attribute,
        floors.operator,
        floors.value,
        floors.channel,
        floors.min_hcps,
        count(distinct case when {{ rule_names_hcp('hcps', 'floors', 'floors.operator') }} then reached.hcp_id end) as hcps
    from floors
    left join reached
        on (floors.territory_id is null or floors.territory_id = reached.territory_id)
        and (floors.channel in ('*', reached.channel) or (floors.channel is null and reached.is_rep_channel))
    left join {{ ref('stg_hcp_master') }} as hcps on reached.hcp_id = hcps.hcp_id
    group by floors.territory_id, floors.attribute, floors.operator, floors.value, floors.channel, floors.min_hcps
)

select *
from counted
where hcps < min_hcps * (1 - 1e-6)
