-- Held here and not by constraints: rows of earlier runs stay as they were published, whatever this version asks of its own.
select
    hcp_id,
    period_start,
    touches,
    responses
from {{ ref('memory__hcp_period_metrics') }}
where run_id in (select run_id from {{ ref('run_config') }})
    and (
        cycle_start is null
        or brand_id is null
        or territory_id is null
        or hcp_id is null
        or period_start is null
        or touches_by_channel is null
        or responses_by_channel is null
        or coalesce(period_end > cycle_start, true)
        or coalesce(touches < 0, true)
        or responses > touches
    )
