with

mart as (select * from {{ ref('dim_territories') }})

select * from mart
