with

metrics as (select * from {{ ref('engagement_metrics') }}),

model as (select * from {{ ref('engagement_model') }}),

run as (select * from {{ ref('run_config') }}),

final as (
    select
        run.run_id,
        run.cycle_start,
        metrics.channel,
        model.model_version,
        metrics.model_kind,
        max(case when metrics.measure = 'auc' then metrics.value end) as auc,
        max(case when metrics.measure = 'log_loss' then metrics.value end) as log_loss,
        max(case when metrics.measure = 'brier' then metrics.value end) as brier,
        max(case when metrics.measure = 'calibration_error' then metrics.value end) as calibration_error,
        max(case when metrics.measure = 'base_rate' then metrics.value end) as base_rate,
        cast(coalesce(max(case when metrics.measure = 'touches' then metrics.value end), 0) as integer) as touches
    from metrics
    cross join run
    cross join model
    where metrics.is_chosen and metrics.bin is null
    group by run.run_id, run.cycle_start, metrics.channel, model.model_version, metrics.model_kind
)

select * from final
