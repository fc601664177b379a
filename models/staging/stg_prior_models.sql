with

runs as (select * from {{ ref('stg_prior_runs') }} where cycles_back <= 1),

versions as (
    select *
    from {{ memory('model_versions', {
        'run_id': 'text', 'model_version': 'text', 'stage': 'text', 'is_fitted': 'boolean', 'fitted_run_id': 'text', 'fitted_cycle': 'date',
        'model_kind': 'text', 'model_json': 'text', 'model_hash': 'text', 'trained_rows': 'integer', 'trained_from': 'date', 'trained_through': 'date',
        'data_hash': 'text', 'features': 'text', 'parameters': 'text', 'code_hash': 'text', 'switches': 'text', 'choice_reason': 'text',
        'approval': 'text', 'approved_by': 'text', 'approved_at': 'timestamp'
    }) }} as versions
),

-- the text of a champion that went on lies with the models that scored
scoring as (
    select *
    from {{ memory('models', {'run_id': 'text', 'model_version': 'text', 'model_json': 'text'}) }} as scoring
),

decisions as (
    select *
    from {{ memory('retraining_decisions', {'run_id': 'text', 'model': 'text', 'model_version': 'text', 'decision': 'text', 'detail': 'text'}) }} as decisions
),

-- the champion and who waits as the last cycle left them, and what an earlier run of this cycle fitted
final as (
    select
        case
            when runs.cycles_back = 0 then 'same_cycle'
            when versions.stage = 'champion' then 'champion'
            else 'waiting'
        end as role,
        runs.cycle_start,
        versions.model_version,
        versions.fitted_run_id,
        versions.fitted_cycle,
        versions.model_kind,
        coalesce(versions.model_json, scoring.model_json) as model_json,
        versions.model_hash,
        versions.trained_rows,
        versions.trained_from,
        versions.trained_through,
        versions.data_hash,
        versions.features,
        versions.parameters,
        versions.code_hash,
        versions.switches,
        versions.choice_reason,
        versions.approval,
        versions.approved_by,
        versions.approved_at,
        decisions.decision,
        decisions.model_version as decided_version,
        decisions.detail as decision_reason
    from versions
    inner join runs on versions.run_id = runs.run_id
    left join scoring
        on versions.run_id = scoring.run_id
        and versions.model_version = scoring.model_version
    left join decisions
        on versions.run_id = decisions.run_id
        and decisions.model = 'engagement'
    where (runs.cycles_back = 0 and versions.is_fitted)
        or (runs.cycles_back = 1 and versions.stage in ('champion', 'challenger'))
)

select * from final
