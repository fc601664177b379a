with

mart as (select * from {{ ref('fct_override_costs') }})

select * from mart
