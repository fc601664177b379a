select
    actions.hcp_id,
    actions.channel,
    actions.earliest_date,
    actions.latest_date
from {{ ref('fct_recommendations') }} as actions
left join {{ ref('fct_hcp_channel_scores') }} as pairs
    on actions.hcp_id = pairs.hcp_id and actions.channel = pairs.channel
where actions.earliest_date > actions.latest_date
    or actions.earliest_date < actions.cycle_start
    or actions.latest_date >= actions.cycle_end
    or pairs.earliest_date is null
    or actions.earliest_date != pairs.earliest_date
    or actions.latest_date != pairs.latest_date
