select
    hcp_id,
    period_start,
    touches,
    responses
from {{ ref('memory__hcp_period_metrics') }}
where run_id in (select run_id from {{ ref('run_config') }})
    and (period_end > cycle_start or touches < 0 or responses > touches)
