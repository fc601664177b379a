-- Several touches of one channel need the gap of the channel to itself between any two of them.
select
    actions.hcp_id,
    actions.channel,
    actions.touches,
    actions.earliest_date,
    actions.latest_date,
    gaps.min_days
from {{ ref('fct_recommendations') }} as actions
inner join {{ ref('stg_rule_min_gap') }} as gaps
    on (gaps.last_channel is null or gaps.last_channel in ('*', actions.channel))
    and (gaps.channel is null or gaps.channel in ('*', actions.channel))
where (actions.touches - 1) * gaps.min_days > {{ dbt.datediff('actions.earliest_date', 'actions.latest_date', 'day') }}
