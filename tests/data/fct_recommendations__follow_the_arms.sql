-- A control gets nothing, an explore HCP one touch of what was drawn for it; nothing that was drawn is left out.
with

assignments as (select * from {{ ref('fct_assignments') }}),

recommendations as (select * from {{ ref('fct_recommendations') }}),

drawn as (
    select
        hcp_id,
        channel,
        propensity
    from {{ ref('fct_explore_distribution') }}
    where is_drawn and channel <> 'none'
),

planned as (
    select
        assignments.arm,
        recommendations.hcp_id,
        recommendations.channel,
        recommendations.touches,
        recommendations.propensity
    from recommendations
    inner join assignments on recommendations.hcp_id = assignments.hcp_id
    where assignments.arm <> 'plan'
)

select
    coalesce(planned.hcp_id, drawn.hcp_id) as hcp_id,
    coalesce(planned.channel, drawn.channel) as channel
from planned
full outer join drawn on planned.hcp_id = drawn.hcp_id and planned.channel = drawn.channel
where planned.hcp_id is null
    or drawn.hcp_id is null
    or planned.arm <> 'explore'
    or planned.touches <> 1
    or planned.propensity <> drawn.propensity
    or not drawn.propensity > 0
