with

mart as (select * from {{ ref('fct_feature_proxies') }})

select * from mart
