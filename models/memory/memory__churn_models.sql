with

model as (select * from {{ ref('churn_model') }}),

run as (select * from {{ ref('run_config') }}),

final as (
    select
        run.run_id,
        run.cycle_start,
        model.model_version,
        model.model_kind,
        model.model_json,
        cast(model.trained_rows as integer) as trained_rows,
        cast(model.events as integer) as events,
        model.data_hash,
        model.features,
        model.parameters,
        model.code_hash,
        model.choice_reason
    from model
    cross join run
)

select * from final
