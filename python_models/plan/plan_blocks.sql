-- depends_on: {{ ref('gate_plan') }}
with

solution as (select * from {{ ref('plan_solution') }}),

final as (
    select
        hcp_id,
        channel,
        rule,
        detail
    from solution
    where kind = 'block'
)

select * from final
