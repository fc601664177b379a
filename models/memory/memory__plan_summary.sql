with

mart as (select * from {{ ref('fct_plan_summary') }})

select * from mart
