-- depends_on: {{ ref('gate_plan') }}
with

solution as (select * from {{ ref('plan_solution') }}),

final as (
    select
        limit_id,
        rule,
        side,
        channel,
        territory_id,
        rep_id,
        attribute,
        value,
        label,
        unit,
        limit_value,
        used,
        price,
        requested,
        effective,
        shortfall,
        hardness
    from solution
    where kind = 'limit'
)

select * from final
