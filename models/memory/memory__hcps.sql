with

mart as (select * from {{ ref('dim_hcps') }})

select * from mart
