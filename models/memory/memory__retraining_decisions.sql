with

mart as (select * from {{ ref('fct_retraining_decisions') }})

select * from mart
