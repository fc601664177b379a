-- Days to look at: the first day of the action and the day after each window that ends inside it.
with

actions as (
    select actions.*
    from {{ ref('fct_recommendations') }} as actions
    inner join {{ ref('stg_rule_channel_window') }} as windows
        on windows.channel is null or windows.channel in ('*', actions.channel)
),

windows as (
    select
        channel,
        territory_id,
        coalesce(available_from, date '0001-01-01') as available_from,
        coalesce(available_to, date '9999-12-30') as available_to
    from {{ ref('stg_rule_channel_window') }}
),

days as (
    select distinct
        hcp_id,
        channel,
        territory_id,
        earliest_date as looked_at
    from actions
    union
    select distinct
        actions.hcp_id,
        actions.channel,
        actions.territory_id,
        cast({{ dbt.dateadd('day', 1, 'windows.available_to') }} as date) as looked_at
    from actions
    inner join windows on windows.channel is null or windows.channel in ('*', actions.channel)
    where windows.available_to >= actions.earliest_date and windows.available_to < actions.latest_date
)

select
    days.hcp_id,
    days.channel,
    days.looked_at
from days
left join windows
    on (windows.channel is null or windows.channel in ('*', days.channel))
    and (
        windows.territory_id is null
        or windows.territory_id = days.territory_id
        or (windows.territory_id = '*' and days.territory_id != 'unassigned')
    )
    and days.looked_at between windows.available_from and windows.available_to
where windows.available_from is null
