-- What is predicted comes about on HCPs left out; warn or error by nba_impact_checks.
{{ config(severity=var('nba_impact_checks', 'warn')) }}
select
    channel,
    value,
    low,
    high,
    limit_value
from {{ ref('fct_impact_diagnostics') }}
where measure = 'calibration_slope' and status = 'miscalibrated'
