with

model as (select * from {{ ref('churn_model') }}),

metrics as (select * from {{ ref('churn_metrics') }}),

run as (select * from {{ ref('run_config') }}),

-- without a model one row says why
final as (
    select
        run.run_id,
        run.cycle_start,
        coalesce(metrics.model_kind, model.model_kind) as model_kind,
        model.model_version,
        coalesce(metrics.is_chosen, true) as is_chosen,
        metrics.auc,
        metrics.log_loss,
        metrics.brier,
        metrics.calibration_error,
        metrics.base_rate,
        cast(coalesce(metrics.test_rows, 0) as integer) as test_rows,
        cast(coalesce(metrics.test_events, 0) as integer) as test_events,
        cast(model.trained_rows as integer) as trained_rows,
        cast(model.events as integer) as events,
        model.choice_reason
    from model
    cross join run
    left join metrics on model.model_kind <> 'none'
)

select * from final
