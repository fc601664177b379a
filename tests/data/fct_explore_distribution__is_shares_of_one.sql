-- Every explore HCP, and nobody else, has probabilities that sum to 1 and one thing that was drawn.
with

explorers as (
    select hcp_id
    from {{ ref('fct_assignments') }}
    where arm = 'explore'
),

told as (
    select
        hcp_id,
        sum(propensity) as total,
        sum(case when is_drawn then 1 else 0 end) as draws
    from {{ ref('fct_explore_distribution') }}
    group by hcp_id
)

select coalesce(explorers.hcp_id, told.hcp_id) as hcp_id
from explorers
full outer join told on explorers.hcp_id = told.hcp_id
where explorers.hcp_id is null
    or told.hcp_id is null
    or abs(told.total - 1) > 0.000001
    or told.draws <> 1
