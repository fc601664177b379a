with

actions as (select * from {{ ref('plan_actions') }}),

scores as (select * from {{ ref('score_impact') }}),

engagement as (select * from {{ ref('score_engagement') }}),

summaries as (select * from {{ ref('summarise_plan') }}),

hcps as (select * from {{ ref('dim_hcps') }}),

run as (select * from {{ ref('run_config') }}),

arms as (select * from {{ ref('draw_arms') }}),

explore as (select * from {{ ref('plan_explore') }}),

final as (
    select
        {{ recommendation_id('run.cycle_start', 'actions.hcp_id', 'actions.channel', 'hcps.brand_id') }} as recommendation_id,
        run.run_id,
        run.cycle_start,
        run.cycle_end,
        hcps.brand_id,
        actions.hcp_id,
        hcps.territory_id,
        hcps.rep_id,
        actions.channel,
        cast(actions.touches as integer) as touches,
        actions.earliest_date,
        actions.latest_date,
        cast(null as date) as planned_date,
        cast(null as text) as content_id,
        cast(actions.priority as integer) as priority,
        cast(actions.rep_priority as integer) as rep_priority,
        engagement.engagement_probability,
        scores.expected_impact,
        scores.expected_impact_low,
        scores.expected_impact_high,
        scores.expected_impact_long,
        actions.plan_value,
        actions.price_cost,
        actions.cost,
        actions.rep_minutes,
        arms.arm,
        case when arms.arm = 'explore' then explore.propensity else cast(1 as double precision) end as propensity,
        'planned' as status,
        case when arms.arm = 'explore' then 'Drawn by chance, to learn what it brings. ' else '' end || summaries.summary as summary,
        engagement.model_version
    from actions
    cross join run
    inner join hcps on actions.hcp_id = hcps.hcp_id
    inner join arms on actions.hcp_id = arms.hcp_id
    left join explore on actions.hcp_id = explore.hcp_id and actions.channel = explore.channel
    left join scores on actions.hcp_id = scores.hcp_id and actions.channel = scores.channel
    left join engagement on actions.hcp_id = engagement.hcp_id and actions.channel = engagement.channel
    left join summaries on actions.hcp_id = summaries.hcp_id and actions.channel = summaries.channel
)

select * from final
