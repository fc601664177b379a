-- depends_on: {{ ref('memory__recommendations') }}
-- depends_on: {{ ref('memory__recommendation_reasons') }}
-- depends_on: {{ ref('memory__hcp_channel_scores') }}
-- depends_on: {{ ref('memory__pair_blocks') }}
-- depends_on: {{ ref('memory__rejections') }}
-- depends_on: {{ ref('memory__assignments') }}
-- depends_on: {{ ref('memory__constraint_prices') }}
-- depends_on: {{ ref('memory__plan_summary') }}
-- depends_on: {{ ref('memory__hcps') }}
-- depends_on: {{ ref('memory__channels') }}
-- depends_on: {{ ref('memory__territories') }}
-- depends_on: {{ ref('memory__reps') }}
-- depends_on: {{ ref('memory__hcp_period_metrics') }}
-- depends_on: {{ ref('memory__territory_summary') }}
-- depends_on: {{ ref('memory__gap_list') }}
-- depends_on: {{ ref('memory__channel_usage') }}
-- depends_on: {{ ref('memory__model_performance') }}
-- depends_on: {{ ref('memory__impact_diagnostics') }}
-- depends_on: {{ ref('memory__explore_distribution') }}
-- depends_on: {{ ref('memory__plan_power') }}
-- depends_on: {{ ref('memory__measured_lift') }}
-- depends_on: {{ ref('memory__off_policy_value') }}
-- depends_on: {{ ref('memory__plan_adherence') }}
-- depends_on: {{ ref('memory__segment_parity') }}
-- depends_on: {{ ref('memory__feature_proxies') }}
-- depends_on: {{ ref('memory__override_costs') }}
-- depends_on: {{ ref('memory__suggestion_adoption') }}
-- depends_on: {{ ref('memory__uplift_curve') }}
-- depends_on: {{ ref('memory__model_register') }}
-- depends_on: {{ ref('memory__monitoring_measures') }}
-- depends_on: {{ ref('memory__drift_alerts') }}
-- depends_on: {{ ref('memory__retraining_decisions') }}
-- depends_on: {{ ref('memory__model_versions') }}
-- depends_on: {{ ref('memory__profiles') }}
-- depends_on: {{ ref('memory__models') }}
-- depends_on: {{ ref('memory__churn_risk') }}
-- depends_on: {{ ref('memory__churn_performance') }}
-- depends_on: {{ ref('memory__churn_models') }}
-- depends_on: {{ ref('memory__impact_models') }}
-- depends_on: {{ ref('memory__rule_changes') }}
-- depends_on: {{ ref('memory__inputs_by_run') }}
-- depends_on: {{ ref('memory__rules_by_run') }}
{%- if target.type != 'snowflake' %}
-- the gates, which do not run there: docs/gates.md
-- depends_on: {{ ref('memory__input_profiles') }}
-- depends_on: {{ ref('memory__input_quality') }}
-- depends_on: {{ ref('memory__plan_profiles') }}
-- depends_on: {{ ref('memory__plan_quality') }}
{%- endif %}
with

run as (select * from {{ ref('run_config') }}),

kept as (select run_id from {{ ref('memory__plan_summary') }}),

publications as (select * from {{ publications() }}),

published as (
    select max(cycle_start) as cycle_start
    from publications
    where published_at = (select max(published_at) from publications)
),

final as (
    select
        run.run_id,
        run.cycle_start,
        case
            when not {{ is_full_build() }} then 'not_a_full_build'
            when run.cycle_start < published.cycle_start and not run.publish_past then 'earlier_cycle'
            else 'published'
        end as decision
    from run
    cross join published
    inner join kept on run.run_id = kept.run_id
)

select * from final
