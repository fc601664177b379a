-- In a cycle: the planned touches. In a window of days: those and the known touches that it still holds on the first planned day.
with

run as (select * from {{ ref('run_config') }}),

-- rows that overlap can stand for the same limit: it counts once
limits as (
    select distinct
        case when rules.channel = '*' then channels.channel else rules.channel end as channel,
        rules.attribute,
        rules.value,
        rules.max_actions,
        rules.window_days
    from {{ ref('stg_rule_contact_limit') }} as rules
    left join {{ ref('stg_catalog') }} as channels on rules.channel = '*'
    where rules.max_actions is not null
),

planned as (
    select
        limits.channel,
        limits.attribute,
        limits.value,
        limits.max_actions,
        limits.window_days,
        actions.hcp_id,
        min(actions.earliest_date) as first_day,
        sum(actions.touches) as touches
    from limits
    inner join {{ ref('fct_recommendations') }} as actions on limits.channel is null or limits.channel = actions.channel
    inner join {{ ref('stg_hcp_master') }} as hcps
        on actions.hcp_id = hcps.hcp_id and {{ rule_names_hcp('hcps', 'limits', "'='") }}
    group by limits.channel, limits.attribute, limits.value, limits.max_actions, limits.window_days, actions.hcp_id
),

known_touches as (
    select
        engagement.hcp_id,
        engagement.channel,
        cast({{ dbt.dateadd('day', -1, 'engagement.period_end') }} as date) as touch_date,
        engagement.touches
    from {{ ref('stg_engagement') }} as engagement
    cross join run
    where engagement.known_from <= run.cycle_start
    union all
    select
        hcp_id,
        channel,
        latest_date as touch_date,
        touches
    from {{ ref('stg_prior_actions') }}
),

in_window as (
    select
        planned.hcp_id,
        planned.channel,
        planned.attribute,
        planned.value,
        planned.max_actions,
        planned.window_days,
        planned.touches,
        sum(case
            when {{ dbt.datediff('known_touches.touch_date', 'planned.first_day', 'day') }} < planned.window_days then known_touches.touches
            else 0
        end) as known_touches
    from planned
    left join known_touches
        on planned.hcp_id = known_touches.hcp_id and (planned.channel is null or planned.channel = known_touches.channel)
    group by
        planned.hcp_id,
        planned.channel,
        planned.attribute,
        planned.value,
        planned.max_actions,
        planned.window_days,
        planned.touches
)

select *
from in_window
where touches + coalesce(known_touches, 0) > max_actions * (1 + 1e-6)
