with

mart as (select * from {{ ref('fct_measured_lift') }})

select * from mart
