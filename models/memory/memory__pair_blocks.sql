with

mart as (select * from {{ ref('fct_pair_blocks') }})

select * from mart
