with

mart as (select * from {{ ref('fct_assignments') }})

select * from mart
