-- The last touch is the last day of the latest known period with touches, or the last day of a published action.
with

run as (select * from {{ ref('run_config') }}),

touches as (
    select
        engagement.hcp_id,
        engagement.channel,
        cast({{ dbt.dateadd('day', -1, 'engagement.period_end') }} as date) as touch_date
    from {{ ref('stg_engagement') }} as engagement
    cross join run
    where engagement.touches > 0 and engagement.known_from <= run.cycle_start
    union all
    select
        hcp_id,
        channel,
        latest_date as touch_date
    from {{ ref('stg_prior_actions') }}
),

last_touches as (
    select
        hcp_id,
        channel,
        max(touch_date) as touch_date
    from touches
    group by hcp_id, channel
)

select
    actions.hcp_id,
    actions.channel,
    last_touches.channel as last_channel,
    last_touches.touch_date,
    gaps.min_days
from {{ ref('fct_recommendations') }} as actions
inner join last_touches on actions.hcp_id = last_touches.hcp_id
inner join {{ ref('stg_rule_min_gap') }} as gaps
    on (gaps.last_channel is null or gaps.last_channel in ('*', last_touches.channel))
    and (gaps.channel is null or gaps.channel in ('*', actions.channel))
where {{ dbt.datediff('last_touches.touch_date', 'actions.earliest_date', 'day') }} < gaps.min_days
