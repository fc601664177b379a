with

mart as (select * from {{ ref('fct_gap_list') }})

select * from mart
