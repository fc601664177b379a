-- depends_on: {{ ref('gate_plan') }}
with

solution as (select * from {{ ref('plan_solution') }}),

final as (
    select
        hcp_id,
        channel,
        number as propensity,
        touches = 1 as is_drawn,
        detail as propensity_kind
    from solution
    where kind = 'explore'
)

select * from final
