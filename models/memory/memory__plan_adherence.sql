with

mart as (select * from {{ ref('fct_plan_adherence') }})

select * from mart
