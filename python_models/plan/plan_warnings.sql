-- depends_on: {{ ref('gate_plan') }}
with

solution as (select * from {{ ref('plan_solution') }}),

final as (
    select
        problem,
        detail
    from solution
    where kind = 'warning'
)

select * from final
