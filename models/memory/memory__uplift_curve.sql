with

mart as (select * from {{ ref('fct_uplift_curve') }})

select * from mart
