with

found as (select * from {{ ref('profile_inputs') }})

select * from found
