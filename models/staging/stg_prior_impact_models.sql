with

runs as (select * from {{ ref('stg_prior_runs') }} where cycles_back <= 1),

models as (
    select *
    from {{ memory('impact_models', {'run_id': 'text', 'model_version': 'text', 'model_json': 'text', 'learned_from': 'text'}) }} as models
),

final as (
    select distinct
        models.model_version,
        models.model_json,
        models.learned_from
    from models
    inner join runs on models.run_id = runs.run_id
    where models.learned_from is not null
)

select * from final
