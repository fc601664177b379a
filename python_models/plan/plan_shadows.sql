-- depends_on: {{ ref('gate_plan') }}
with

solution as (select * from {{ ref('plan_solution') }}),

final as (
    select
        hcp_id,
        channel
    from solution
    where kind = 'shadow'
)

select * from final
