select
    hcp_id,
    period_start,
    touches,
    responses
from {{ ref('fct_hcp_period_metrics') }}
where period_end > cycle_start
    or touches < 0
    or responses > touches
