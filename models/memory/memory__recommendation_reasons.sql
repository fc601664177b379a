with

mart as (select * from {{ ref('fct_recommendation_reasons') }})

select * from mart
