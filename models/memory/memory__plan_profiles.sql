with

found as (select * from {{ ref('profile_plan') }})

select * from found
