select hcps.hcp_id
from {{ ref('stg_hcp_master') }} as hcps
left join {{ ref('fct_assignments') }} as assignments on hcps.hcp_id = assignments.hcp_id
where assignments.hcp_id is null
