with

measured as (select * from {{ ref('measure_uplift') }}),

run as (select * from {{ ref('run_config') }}),

final as (
    select
        run.run_id,
        run.cycle_start,
        measured.measured_cycle,
        measured.comparison,
        measured.channel,
        measured.share,
        measured.status,
        measured.reason,
        cast(measured.treated_hcps as integer) as treated_hcps,
        cast(measured.untreated_hcps as integer) as untreated_hcps,
        measured.gain,
        measured.gain_low,
        measured.gain_high,
        measured.qini,
        measured.qini_low,
        measured.qini_high
    from measured
    cross join run
)

select * from final
