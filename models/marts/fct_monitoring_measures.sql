with

measures as (select * from {{ ref('monitor_measures') }}),

run as (select * from {{ ref('run_config') }}),

final as (
    select
        run.run_id,
        run.cycle_start,
        measures.alert_id,
        measures.severity,
        measures.measure,
        measures.subject,
        measures.feature,
        measures.channel,
        measures.value,
        measures.baseline,
        measures.effect,
        cast(measures.n as integer) as n,
        measures.sureness,
        measures.threshold,
        measures.message,
        measures.what_to_do
    from measures
    cross join run
)

select * from final
