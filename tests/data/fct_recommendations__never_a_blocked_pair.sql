select
    actions.hcp_id,
    actions.channel
from {{ ref('fct_recommendations') }} as actions
left join {{ ref('fct_hcp_channel_scores') }} as pairs
    on actions.hcp_id = pairs.hcp_id and actions.channel = pairs.channel
left join {{ ref('fct_pair_blocks') }} as blocks
    on actions.hcp_id = blocks.hcp_id and actions.channel = blocks.channel
where pairs.hcp_id is null
    or not pairs.is_eligible
    or pairs.blocked_by is not null
    or blocks.rule is not null
