with

versions as (select * from {{ ref('engagement_versions') }}),

run as (select * from {{ ref('run_config') }}),

final as (
    select
        run.run_id,
        run.cycle_start,
        run.input_source,
        versions.model_version,
        versions.stage,
        versions.is_fitted,
        versions.is_promoted,
        versions.fitted_cycle,
        versions.model_kind,
        cast(versions.trained_rows as integer) as trained_rows,
        versions.trained_from,
        versions.trained_through,
        versions.loss,
        versions.champion_loss,
        cast(versions.held_out_touches as integer) as held_out_touches,
        versions.approval,
        versions.approved_by,
        versions.approved_at,
        versions.stage_reason,
        versions.fitted_run_id,
        -- of a champion that goes on, memory.models has the text
        case when versions.is_fitted then versions.model_json end as model_json,
        versions.model_hash,
        versions.data_hash,
        versions.features,
        versions.parameters,
        versions.code_hash,
        versions.switches,
        versions.choice_reason
    from versions
    cross join run
)

select * from final
