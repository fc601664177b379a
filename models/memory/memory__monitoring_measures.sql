with

mart as (select * from {{ ref('fct_monitoring_measures') }})

select * from mart
