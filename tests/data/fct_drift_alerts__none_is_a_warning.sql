-- Drift of severity warn is said in the log of the build; the plan is published.
{{ config(severity='warn') }}
select
    measure,
    message,
    what_to_do
from {{ ref('fct_drift_alerts') }}
where severity = 'warn'
