with

cycles as (select * from {{ ref('measure_cycles') }}),

run_config as (select * from {{ ref('run_config') }}),

actions as (
    select
        cycles.measured_cycle,
        cycles.are_touches_known,
        recommendations.recommendation_id,
        recommendations.territory_id,
        recommendations.rep_id,
        recommendations.hcp_id,
        recommendations.channel,
        recommendations.touches
    from {{ memory('recommendations', {
        'recommendation_id': 'text', 'run_id': 'text', 'territory_id': 'text', 'rep_id': 'text', 'hcp_id': 'text', 'channel': 'text',
        'touches': 'integer',
    }) }} as recommendations
    inner join cycles on recommendations.run_id = cycles.measured_run_id
),

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

known_feedback as (
    select
        feedback.recommendation_id,
        feedback.status,
        coalesce(feedback.{{ own_column('at') }}, cast('1900-01-01' as timestamp)) as said_at
    from {{ ref('stg_suggestion_feedback') }} as feedback
    cross join run_config
    where feedback.{{ own_column('at') }} is null
        or {{ first_day_known('feedback.' ~ own_column('at')) }} <= run_config.cycle_start
),

-- what was said last of an action counts; of words of one moment the later in the course of an action
ranked as (
    select
        recommendation_id,
        status,
        row_number() over (
            partition by recommendation_id
            order by
                said_at desc,
                case status when 'executed' then 1 when 'dismissed' then 2 when 'accepted' then 3 else 4 end
        ) as recency
    from known_feedback
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
        sum(case when ranked.status = 'accepted' then 1 else 0 end) as accepted,
        sum(case when ranked.status = 'dismissed' then 1 else 0 end) as dismissed,
        sum(case when ranked.status = 'executed' then 1 else 0 end) as executed,
        sum(case when ranked.status = 'expired' then 1 else 0 end) as expired,
        sum(case when ranked.status is null then 1 else 0 end) as without_feedback,
        sum(case when touched.touches > 0 then 1 else 0 end) as touched,
        sum(case when touched.touches > actions.touches then actions.touches else coalesce(touched.touches, 0) end) as touches_done
    from actions
    left join touched
        on actions.measured_cycle = touched.measured_cycle
        and actions.hcp_id = touched.hcp_id
        and actions.channel = touched.channel
    left join ranked
        on actions.recommendation_id = ranked.recommendation_id
        and ranked.recency = 1
    group by actions.measured_cycle, actions.territory_id, actions.rep_id, actions.channel, actions.are_touches_known
)

select * from final
