with

mart as (select * from {{ ref('dim_reps') }})

select * from mart
