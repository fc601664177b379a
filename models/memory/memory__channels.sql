with

mart as (select * from {{ ref('dim_channels') }})

select * from mart
