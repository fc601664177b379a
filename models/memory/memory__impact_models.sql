with

model as (select * from {{ ref('impact_model') }}),

run as (select * from {{ ref('run_config') }}),

final as (
    select
        run.run_id,
        run.cycle_start,
        model.model_version,
        model.model_json,
        model.learned_from
    from model
    cross join run
)

select * from final
