with

solution as (select * from {{ ref('plan_solution') }}),

final as (
    select
        rule,
        label,
        limit_id,
        limit_value,
        problem,
        detail,
        what_to_do
    from solution
    where kind = 'conflict'
)

select * from final
