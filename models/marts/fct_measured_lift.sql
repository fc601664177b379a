with

measured as (select * from {{ ref('measure_lift') }}),

run as (select * from {{ ref('run_config') }}),

final as (
    select
        run.run_id,
        run.cycle_start,
        measured.measured_cycle,
        measured.comparison,
        measured.outcome,
        measured.estimator,
        measured.status,
        measured.reason,
        cast(measured.plan_hcps as integer) as plan_hcps,
        cast(measured.control_hcps as integer) as control_hcps,
        cast(measured.plan_units as integer) as plan_units,
        cast(measured.control_units as integer) as control_units,
        cast(measured.left_out_hcps as integer) as left_out_hcps,
        cast(measured.cells as integer) as cells,
        measured.own_stratum_share,
        measured.lift,
        measured.lift_low,
        measured.lift_high,
        measured.standard_error,
        measured.total_lift,
        measured.total_low,
        measured.total_high,
        measured.control_mean,
        measured.touch_difference,
        measured.first_stage_f,
        measured.predicted_lift,
        measured.predicted_ratio
    from measured
    cross join run
)

select * from final
