-- No drift of severity error: by nba_drift_limits nothing is one until the project says from which effect on. It stops the build before it publishes.
select
    measure,
    message,
    what_to_do
from {{ ref('fct_drift_alerts') }}
where severity = 'error'
