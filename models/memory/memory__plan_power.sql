with

mart as (select * from {{ ref('fct_plan_power') }})

select * from mart
