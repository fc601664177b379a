with

mart as (select * from {{ ref('fct_channel_usage') }})

select * from mart
