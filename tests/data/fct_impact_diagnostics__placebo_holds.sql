-- Touches to come do not go with KPI that was there before them; warn or error by nba_impact_checks.
{{ config(severity=var('nba_impact_checks', 'warn')) }}
select
    channel,
    value,
    low,
    high,
    limit_value
from {{ ref('fct_impact_diagnostics') }}
where measure = 'placebo' and status = 'placebo_failed'
