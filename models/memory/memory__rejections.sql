with

mart as (select * from {{ ref('fct_rejections') }})

select * from mart
