select
    actions.hcp_id,
    actions.channel,
    overrides.reason
from {{ actions_by_key() }} as actions
inner join {{ ref('stg_rule_override') }} as overrides
    on actions.hcp_key = coalesce(overrides.hcp_id, '*') and actions.channel_key = coalesce(overrides.channel, '*')
where overrides.action = 'forbid'
    and actions.latest_date >= coalesce(overrides.valid_from, actions.latest_date)
    and actions.earliest_date <= coalesce(overrides.valid_to, actions.earliest_date)
