with

mart as (select * from {{ ref('fct_hcp_period_metrics') }})

select * from mart
