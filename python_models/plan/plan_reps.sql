-- depends_on: {{ ref('gate_plan') }}
with

solution as (select * from {{ ref('plan_solution') }}),

final as (
    select
        rep_id,
        used,
        limit_value,
        touches
    from solution
    where kind = 'rep'
)

select * from final
