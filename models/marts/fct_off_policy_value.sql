with

measured as (select * from {{ ref('measure_off_policy') }}),

run as (select * from {{ ref('run_config') }}),

final as (
    select
        run.run_id,
        run.cycle_start,
        measured.measured_cycle,
        measured.policy,
        measured.estimator,
        measured.status,
        measured.reason,
        cast(measured.explore_hcps as integer) as explore_hcps,
        cast(measured.matched_hcps as integer) as matched_hcps,
        measured.effective_size,
        measured.max_weight_share,
        measured.value,
        measured.value_low,
        measured.value_high,
        measured.lift,
        measured.lift_low,
        measured.lift_high
    from measured
    cross join run
)

select * from final
