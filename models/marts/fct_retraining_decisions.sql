with

versions as (select * from {{ ref('engagement_versions') }}),

measures as (select * from {{ ref('monitor_measures') }}),

impact as (select * from {{ ref('impact_model') }}),

churn as (select * from {{ ref('churn_model') }}),

run as (select * from {{ ref('run_config') }}),

-- a model that was fitted in this build has learned from what there was to see
alerts as (
    select
        sum(case when measure in ('auc', 'calibration') then 1 else 0 end) as performance_alerts,
        sum(case when measure in ('psi', 'ks') then 1 else 0 end) as drift_alerts
    from measures
    where severity in ('warn', 'error')
),

champion as (
    select
        versions.model_version,
        versions.is_fitted,
        -- how old it will be when the next cycle is planned
        cast(round(cast({{ dbt.datediff('versions.fitted_cycle', 'run.cycle_start', 'day') }} as double precision) / run.cycle_days) as integer) + 1 as cycles_old,
        run.retrain_cycles,
        case when versions.is_fitted then 0 else coalesce(alerts.performance_alerts, 0) end as performance_alerts,
        case when versions.is_fitted then 0 else coalesce(alerts.drift_alerts, 0) end as drift_alerts
    from versions
    cross join alerts
    cross join run
    where versions.stage = 'champion'
),

reasons as (
    select
        champion.*,
        case
            when performance_alerts > 0 then 'performance'
            when drift_alerts > 0 then 'drift'
            when cycles_old >= retrain_cycles then 'age'
            else 'none'
        end as reason
    from champion
),

decided as (
    select
        'engagement' as model,
        model_version,
        case when reason = 'none' then 'keep' else 'retrain' end as decision,
        reason,
        case reason
            when 'performance' then 'predictions of the last cycle came out worse than promised (' || cast(performance_alerts as text) || ' alerts)'
            when 'drift' then 'features or scores are spread otherwise than when it was fitted (' || cast(drift_alerts as text) || ' alerts)'
            when 'age' then 'it will be ' || cast(cycles_old as text) || ' cycles old'
            else 'it will be ' || cast(cycles_old as text) || case when cycles_old = 1 then ' cycle' else ' cycles' end || ' old, and no alert speaks against it'
        end as detail,
        cycles_old,
        cast(performance_alerts + drift_alerts as integer) as alerts
    from reasons

    union all

    select
        'impact' as model,
        model_version,
        'retrain' as decision,
        'every_build' as reason,
        'it is learned in every build' as detail,
        1 as cycles_old,
        0 as alerts
    from impact

    union all

    select
        'churn' as model,
        model_version,
        'retrain' as decision,
        'every_build' as reason,
        'it is learned in every build' as detail,
        1 as cycles_old,
        0 as alerts
    from churn
),

final as (
    select
        run.run_id,
        run.cycle_start,
        decided.model,
        decided.model_version,
        decided.decision,
        decided.reason,
        decided.detail,
        decided.cycles_old,
        decided.alerts,
        decided.model != 'engagement' or run.retrain = 'auto' as is_followed
    from decided
    cross join run
)

select * from final
