select gaps.hcp_id
from {{ ref('fct_gap_list') }} as gaps
inner join {{ ref('fct_recommendations') }} as actions on gaps.hcp_id = actions.hcp_id
