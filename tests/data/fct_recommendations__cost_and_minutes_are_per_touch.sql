select
    actions.hcp_id,
    actions.channel,
    actions.touches,
    actions.cost,
    actions.rep_minutes
from {{ ref('fct_recommendations') }} as actions
left join {{ ref('stg_catalog') }} as channels on actions.channel = channels.channel
where channels.channel is null
    or actions.touches < 1
    or actions.touches > channels.max_touches
    or abs(actions.cost - actions.touches * channels.unit_cost) > 1e-6 * (1 + abs(actions.cost))
    or abs(actions.rep_minutes - actions.touches * channels.rep_minutes) > 1e-6 * (1 + abs(actions.rep_minutes))
