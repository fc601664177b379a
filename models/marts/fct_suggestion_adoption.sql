with

actions as (select * from {{ ref('measure_answers') }}),

run as (select * from {{ ref('run_config') }}),

answered as (
    select
        actions.measured_cycle,
        actions.territory_id,
        actions.rep_id,
        actions.channel,
        -- nobody answers a suggestion any more once its cycle is over
        case
            when actions.status is not null then actions.status
            when actions.measured_cycle_end <= run.cycle_start then 'none'
            else 'open'
        end as answer,
        case when actions.status = 'dismissed' then coalesce(lower(actions.reason), 'no reason given') end as reason
    from actions
    cross join run
),

counted as (
    select
        measured_cycle,
        territory_id,
        rep_id,
        channel,
        answer,
        reason,
        count(*) as suggestions
    from answered
    group by measured_cycle, territory_id, rep_id, channel, answer, reason
),

summed as (
    select
        counted.*,
        sum(suggestions) over (partition by measured_cycle, territory_id, rep_id, channel) as of_suggestions,
        sum(case when answer in ('accepted', 'executed') then suggestions else 0 end) over (
            partition by measured_cycle, territory_id, rep_id, channel
        ) as taken_up,
        sum(case when answer in ('accepted', 'executed', 'dismissed') then suggestions else 0 end) over (
            partition by measured_cycle, territory_id, rep_id, channel
        ) as decided
    from counted
),

final as (
    select
        run.run_id,
        run.cycle_start,
        {{ date_text('summed.measured_cycle') }} as measured_cycle,
        summed.territory_id,
        summed.rep_id,
        summed.channel,
        summed.answer,
        summed.reason,
        cast(summed.suggestions as integer) as suggestions,
        cast(summed.of_suggestions as integer) as of_suggestions,
        cast(summed.suggestions as double precision) / cast(summed.of_suggestions as double precision) as share,
        case
            when summed.decided > 0 then cast(summed.taken_up as double precision) / cast(summed.decided as double precision)
        end as acceptance_rate
    from summed
    cross join run
)

select * from final
