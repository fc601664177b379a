with

mart as (select * from {{ ref('fct_impact_diagnostics') }})

select * from mart
