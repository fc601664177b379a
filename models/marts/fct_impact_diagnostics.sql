with

diagnostics as (select * from {{ ref('impact_diagnostics') }}),

run as (select * from {{ ref('run_config') }}),

final as (
    select
        run.run_id,
        run.cycle_start,
        diagnostics.channel,
        diagnostics.measure,
        diagnostics.value,
        diagnostics.low,
        diagnostics.high,
        diagnostics.limit_value,
        diagnostics.status,
        diagnostics.words
    from diagnostics
    cross join run
)

select * from final
