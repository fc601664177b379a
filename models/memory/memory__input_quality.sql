with

found as (select * from {{ ref('input_quality') }})

select * from found
