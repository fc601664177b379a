with

found as (select * from {{ ref('plan_quality') }})

select * from found
