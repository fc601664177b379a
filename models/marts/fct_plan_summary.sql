with

header as (select * from {{ ref('plan_run') }}),

run as (select * from {{ ref('run_config') }}),

final as (
    select
        run.run_id,
        run.cycle_start,
        run.cycle_end,
        header.status,
        header.objective,
        header.penalty,
        header.upper_bound,
        header.price_bound,
        header.gap,
        header.solve_gap,
        header.stability_cost,
        header.expected_impact,
        header.total_cost,
        cast(header.actions as integer) as actions,
        cast(header.hcps_reached as integer) as hcps_reached,
        header.seconds,
        header.solver,
        header.input_fingerprint,
        header.code_version,
        header.model_version
    from header
    cross join run
)

select * from final
