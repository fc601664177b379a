with

hcps as (select * from {{ ref('dim_hcps') }}),

recommendations as (select * from {{ ref('fct_recommendations') }}),

planned as (select * from {{ ref('plan_reps') }}),

by_territory as (
    select
        run_id,
        cycle_start,
        rep_id,
        territory_id,
        count(*) as hcps,
        row_number() over (partition by rep_id order by count(*) desc, {{ text_order('territory_id') }}) as territory_rank
    from hcps
    where rep_id is not null
    group by run_id, cycle_start, rep_id, territory_id
),

reps as (
    select
        run_id,
        cycle_start,
        rep_id,
        max(case when territory_rank = 1 then territory_id end) as territory_id,
        count(*) as territories,
        sum(hcps) as hcps
    from by_territory
    group by run_id, cycle_start, rep_id
),

actions as (
    select
        rep_id,
        count(*) as actions,
        sum(touches) as touches,
        count(distinct hcp_id) as hcps_reached,
        {{ exact_sum('rep_minutes') }} as minutes_used
    from recommendations
    where rep_id is not null
    group by rep_id
),

-- a rep may have a limit per channel beside the one on all its time
limits as (
    select
        rep_id,
        min(limit_value) as minutes_limit
    from planned
    group by rep_id
),

final as (
    select
        reps.run_id,
        reps.cycle_start,
        reps.rep_id,
        reps.rep_id as label,
        reps.territory_id,
        cast(reps.territories as integer) as territories,
        cast(reps.hcps as integer) as hcps,
        cast(coalesce(actions.actions, 0) as integer) as actions,
        cast(coalesce(actions.touches, 0) as integer) as touches,
        cast(coalesce(actions.hcps_reached, 0) as integer) as hcps_reached,
        cast(coalesce(actions.minutes_used, 0) as double precision) as minutes_used,
        limits.minutes_limit
    from reps
    left join actions on reps.rep_id = actions.rep_id
    left join limits on reps.rep_id = limits.rep_id
)

select * from final
