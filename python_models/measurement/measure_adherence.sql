with

cycles as (select * from {{ ref('measure_cycles') }}),

run_config as (select * from {{ ref('run_config') }}),

actions as (select * from {{ ref('measure_answers') }}),

touched as (
    select
        cycles.measured_cycle,
        engagement.hcp_id,
        engagement.channel,
        sum(engagement.touches) as touches
    from {{ ref('stg_engagement') }} as engagement
    cross join run_config
    inner join cycles
        on engagement.period_start >= cycles.measured_cycle
        and engagement.period_start < cycles.measured_cycle_end
    where engagement.known_from <= run_config.cycle_start
    group by cycles.measured_cycle, engagement.hcp_id, engagement.channel
),

final as (
    select
        actions.measured_cycle,
        actions.territory_id,
        actions.rep_id,
        actions.channel,
        actions.are_touches_known,
        count(*) as planned,
        sum(actions.touches) as planned_touches,
        sum(case when actions.status = 'accepted' then 1 else 0 end) as accepted,
        sum(case when actions.status = 'dismissed' then 1 else 0 end) as dismissed,
        sum(case when actions.status = 'executed' then 1 else 0 end) as executed,
        sum(case when actions.status = 'expired' then 1 else 0 end) as expired,
        sum(case when actions.status is null then 1 else 0 end) as without_feedback,
        sum(case when touched.touches > 0 then 1 else 0 end) as touched,
        sum(case when touched.touches > actions.touches then actions.touches else coalesce(touched.touches, 0) end) as touches_done
    from actions
    left join touched
        on actions.measured_cycle = touched.measured_cycle
        and actions.hcp_id = touched.hcp_id
        and actions.channel = touched.channel
    group by actions.measured_cycle, actions.territory_id, actions.rep_id, actions.channel, actions.are_touches_known
)

select * from final
