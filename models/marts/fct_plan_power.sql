with

power as (select * from {{ ref('plan_power') }}),

run as (select * from {{ ref('run_config') }}),

final as (
    select
        run.run_id,
        run.cycle_start,
        cast(power.cycles as integer) as cycles,
        cast(power.control_hcps as integer) as control_hcps,
        cast(power.plan_hcps as integer) as plan_hcps,
        power.residual_sd,
        power.smallest_lift,
        power.expected_lift,
        power.is_detectable
    from power
    cross join run
)

select * from final
