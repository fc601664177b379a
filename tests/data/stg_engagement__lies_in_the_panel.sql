-- Engagement and KPI rows lie between the start of the panel and the cycle.
with

starts as (
    select period_start from {{ ref('stg_engagement') }}
    union
    select period_start from {{ ref('stg_kpi') }}
)

select starts.period_start
from starts
cross join {{ ref('run_config') }} as run_config
where starts.period_start < run_config.panel_start
    or starts.period_start >= run_config.cycle_start
