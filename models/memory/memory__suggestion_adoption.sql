with

mart as (select * from {{ ref('fct_suggestion_adoption') }})

select * from mart
