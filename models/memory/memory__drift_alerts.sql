with

mart as (select * from {{ ref('fct_drift_alerts') }})

select * from mart
