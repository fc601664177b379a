with

mart as (select * from {{ ref('fct_constraint_prices') }})

select * from mart
