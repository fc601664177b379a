with

mart as (select * from {{ ref('fct_model_performance') }})

select * from mart
