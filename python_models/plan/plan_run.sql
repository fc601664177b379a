-- depends_on: {{ ref('gate_plan') }}
with

solution as (select * from {{ ref('plan_solution') }}),

final as (
    select
        status,
        objective,
        penalty,
        upper_bound,
        price_bound,
        gap,
        solve_gap,
        stability_cost,
        expected_impact,
        total_cost,
        actions,
        hcps_reached,
        seconds,
        solver,
        input_fingerprint,
        code_version,
        model_version
    from solution
    where kind = 'run'
)

select * from final
