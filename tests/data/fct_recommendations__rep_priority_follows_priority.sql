with

ranked as (
    select
        hcp_id,
        channel,
        rep_priority,
        row_number() over (partition by rep_id order by priority) as expected_priority
    from {{ ref('fct_recommendations') }}
    where rep_id is not null
)

select *
from ranked
where rep_priority is null or rep_priority != expected_priority
