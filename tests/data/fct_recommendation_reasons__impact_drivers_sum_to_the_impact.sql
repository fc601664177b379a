with

summed as (
    select
        recommendation_id,
        sum(contribution) as contribution
    from {{ ref('fct_recommendation_reasons') }}
    where explains = 'impact'
    group by recommendation_id
)

select
    actions.recommendation_id,
    actions.expected_impact,
    summed.contribution
from {{ ref('fct_recommendations') }} as actions
left join summed on actions.recommendation_id = summed.recommendation_id
where summed.contribution is null
    or abs(summed.contribution - actions.expected_impact) > 1e-6 * (1 + abs(actions.expected_impact))
