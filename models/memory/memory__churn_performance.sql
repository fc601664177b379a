with

mart as (select * from {{ ref('fct_churn_performance') }})

select * from mart
