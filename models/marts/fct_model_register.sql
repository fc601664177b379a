with

engagement as (select * from {{ ref('engagement_versions') }}),

impact as (select * from {{ ref('impact_model') }}),

churn as (select * from {{ ref('churn_model') }}),

run as (select * from {{ ref('run_config') }}),

versions as (
    select
        'engagement' as model,
        model_version,
        stage,
        is_fitted,
        is_promoted,
        fitted_cycle,
        model_kind,
        cast(trained_rows as integer) as trained_rows,
        trained_from,
        trained_through,
        loss,
        champion_loss,
        cast(held_out_touches as integer) as held_out_touches,
        approval,
        approved_by,
        approved_at,
        stage_reason
    from engagement

    union all

    -- these two are learned in every build: they have no rival to beat
    select
        'impact' as model,
        impact.model_version,
        'champion' as stage,
        true as is_fitted,
        true as is_promoted,
        run.cycle_start as fitted_cycle,
        'impact' as model_kind,
        cast(null as integer) as trained_rows,
        cast(null as date) as trained_from,
        cast(null as date) as trained_through,
        cast(null as double precision) as loss,
        cast(null as double precision) as champion_loss,
        cast(null as integer) as held_out_touches,
        'not_required' as approval,
        cast(null as text) as approved_by,
        cast(null as timestamp) as approved_at,
        'learned in every build' as stage_reason
    from impact
    cross join run

    union all

    select
        'churn' as model,
        churn.model_version,
        'champion' as stage,
        true as is_fitted,
        true as is_promoted,
        run.cycle_start as fitted_cycle,
        churn.model_kind,
        cast(churn.trained_rows as integer) as trained_rows,
        cast(null as date) as trained_from,
        cast(null as date) as trained_through,
        cast(null as double precision) as loss,
        cast(null as double precision) as champion_loss,
        cast(null as integer) as held_out_touches,
        'not_required' as approval,
        cast(null as text) as approved_by,
        cast(null as timestamp) as approved_at,
        'learned in every build' as stage_reason
    from churn
    cross join run
),

final as (
    select
        run.run_id,
        run.cycle_start,
        versions.*
    from versions
    cross join run
)

select * from final
