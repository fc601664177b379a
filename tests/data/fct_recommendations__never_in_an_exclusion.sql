select
    actions.hcp_id,
    actions.channel,
    exclusions.reason
from {{ actions_by_key() }} as actions
inner join {{ ref('stg_rule_exclusion') }} as exclusions
    on actions.hcp_key = coalesce(exclusions.hcp_id, '*') and actions.channel_key = coalesce(exclusions.channel, '*')
where actions.latest_date >= coalesce(exclusions.valid_from, actions.latest_date)
    and actions.earliest_date <= coalesce(exclusions.valid_to, actions.earliest_date)
