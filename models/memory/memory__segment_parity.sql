with

mart as (select * from {{ ref('fct_segment_parity') }})

select * from mart
