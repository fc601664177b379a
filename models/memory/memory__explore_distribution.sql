with

mart as (select * from {{ ref('fct_explore_distribution') }})

select * from mart
