select
    actions.hcp_id,
    actions.channel,
    hcps.rep_access
from {{ ref('fct_recommendations') }} as actions
inner join {{ ref('stg_hcp_master') }} as hcps on actions.hcp_id = hcps.hcp_id
inner join {{ ref('stg_rule_access') }} as closed
    on (closed.rep_access is null or closed.rep_access in ('*', hcps.rep_access))
    and (closed.channel is null or closed.channel in ('*', actions.channel))
