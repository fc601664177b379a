-- depends_on: {{ ref('gate_plan') }}
with

solution as (select * from {{ ref('plan_solution') }}),

final as (
    select
        hcp_id,
        channel,
        touches,
        plan_value,
        price_cost,
        cost,
        rep_minutes,
        priority,
        rep_priority,
        earliest_date,
        latest_date
    from solution
    where kind = 'pair' and touches > 0
)

select * from final
