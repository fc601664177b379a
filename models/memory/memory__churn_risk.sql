with

mart as (select * from {{ ref('fct_churn_risk') }})

select * from mart
