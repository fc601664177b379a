with

mart as (select * from {{ ref('fct_recommendations') }})

select * from mart
