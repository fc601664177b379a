with

mart as (select * from {{ ref('fct_hcp_channel_scores') }})

select * from mart
