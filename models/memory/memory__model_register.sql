with

mart as (select * from {{ ref('fct_model_register') }})

select * from mart
