with

mart as (select * from {{ ref('fct_off_policy_value') }})

select * from mart
