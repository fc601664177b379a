with

mart as (select * from {{ ref('fct_territory_summary') }})

select * from mart
