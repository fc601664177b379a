select hcps.hcp_id
from {{ ref('dim_hcps') }} as hcps
left join {{ ref('fct_churn_risk') }} as risks on hcps.hcp_id = risks.hcp_id
where risks.hcp_id is null
