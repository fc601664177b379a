select
    hcps.hcp_id,
    channels.channel
from {{ ref('stg_hcp_master') }} as hcps
cross join {{ ref('stg_catalog') }} as channels
left join {{ ref('fct_hcp_channel_scores') }} as pairs
    on hcps.hcp_id = pairs.hcp_id and channels.channel = pairs.channel
where pairs.hcp_id is null
