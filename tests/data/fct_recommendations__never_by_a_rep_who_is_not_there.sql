select
    actions.hcp_id,
    actions.channel
from {{ ref('fct_recommendations') }} as actions
inner join {{ ref('stg_catalog') }} as channels on actions.channel = channels.channel
inner join {{ ref('stg_hcp_master') }} as hcps on actions.hcp_id = hcps.hcp_id
where channels.rep_minutes > 0 and hcps.rep_id is null
