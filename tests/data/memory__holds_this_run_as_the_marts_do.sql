-- What is published is what was tested: memory has the rows of this run that the marts have. Rows of runs that failed are nobody's business.
with

run as (select run_id from {{ ref('run_config') }}),

counted as (
    select
        'recommendations' as table_name,
        (select count(*) from {{ ref('fct_recommendations') }}) as in_mart,
        (select count(*) from {{ ref('memory__recommendations') }} where run_id in (select run_id from run)) as in_memory
    union all
    select
        'recommendation_reasons' as table_name,
        (select count(*) from {{ ref('fct_recommendation_reasons') }}) as in_mart,
        (select count(*) from {{ ref('memory__recommendation_reasons') }} where run_id in (select run_id from run)) as in_memory
    union all
    select
        'hcp_channel_scores' as table_name,
        (select count(*) from {{ ref('fct_hcp_channel_scores') }}) as in_mart,
        (select count(*) from {{ ref('memory__hcp_channel_scores') }} where run_id in (select run_id from run)) as in_memory
    union all
    select
        'pair_blocks' as table_name,
        (select count(*) from {{ ref('fct_pair_blocks') }}) as in_mart,
        (select count(*) from {{ ref('memory__pair_blocks') }} where run_id in (select run_id from run)) as in_memory
    union all
    select
        'rejections' as table_name,
        (select count(*) from {{ ref('fct_rejections') }}) as in_mart,
        (select count(*) from {{ ref('memory__rejections') }} where run_id in (select run_id from run)) as in_memory
    union all
    select
        'assignments' as table_name,
        (select count(*) from {{ ref('fct_assignments') }}) as in_mart,
        (select count(*) from {{ ref('memory__assignments') }} where run_id in (select run_id from run)) as in_memory
    union all
    select
        'constraint_prices' as table_name,
        (select count(*) from {{ ref('fct_constraint_prices') }}) as in_mart,
        (select count(*) from {{ ref('memory__constraint_prices') }} where run_id in (select run_id from run)) as in_memory
    union all
    select
        'plan_summary' as table_name,
        (select count(*) from {{ ref('fct_plan_summary') }}) as in_mart,
        (select count(*) from {{ ref('memory__plan_summary') }} where run_id in (select run_id from run)) as in_memory
    union all
    select
        'hcps' as table_name,
        (select count(*) from {{ ref('dim_hcps') }}) as in_mart,
        (select count(*) from {{ ref('memory__hcps') }} where run_id in (select run_id from run)) as in_memory
    union all
    select
        'channels' as table_name,
        (select count(*) from {{ ref('dim_channels') }}) as in_mart,
        (select count(*) from {{ ref('memory__channels') }} where run_id in (select run_id from run)) as in_memory
    union all
    select
        'territories' as table_name,
        (select count(*) from {{ ref('dim_territories') }}) as in_mart,
        (select count(*) from {{ ref('memory__territories') }} where run_id in (select run_id from run)) as in_memory
    union all
    select
        'reps' as table_name,
        (select count(*) from {{ ref('dim_reps') }}) as in_mart,
        (select count(*) from {{ ref('memory__reps') }} where run_id in (select run_id from run)) as in_memory
    union all
    select
        'territory_summary' as table_name,
        (select count(*) from {{ ref('fct_territory_summary') }}) as in_mart,
        (select count(*) from {{ ref('memory__territory_summary') }} where run_id in (select run_id from run)) as in_memory
    union all
    select
        'gap_list' as table_name,
        (select count(*) from {{ ref('fct_gap_list') }}) as in_mart,
        (select count(*) from {{ ref('memory__gap_list') }} where run_id in (select run_id from run)) as in_memory
    union all
    select
        'channel_usage' as table_name,
        (select count(*) from {{ ref('fct_channel_usage') }}) as in_mart,
        (select count(*) from {{ ref('memory__channel_usage') }} where run_id in (select run_id from run)) as in_memory
    union all
    select
        'measured_lift' as table_name,
        (select count(*) from {{ ref('fct_measured_lift') }}) as in_mart,
        (select count(*) from {{ ref('memory__measured_lift') }} where run_id in (select run_id from run)) as in_memory
    union all
    select
        'off_policy_value' as table_name,
        (select count(*) from {{ ref('fct_off_policy_value') }}) as in_mart,
        (select count(*) from {{ ref('memory__off_policy_value') }} where run_id in (select run_id from run)) as in_memory
    union all
    select
        'plan_adherence' as table_name,
        (select count(*) from {{ ref('fct_plan_adherence') }}) as in_mart,
        (select count(*) from {{ ref('memory__plan_adherence') }} where run_id in (select run_id from run)) as in_memory
    union all
    select
        'uplift_curve' as table_name,
        (select count(*) from {{ ref('fct_uplift_curve') }}) as in_mart,
        (select count(*) from {{ ref('memory__uplift_curve') }} where run_id in (select run_id from run)) as in_memory
    union all
    select
        'explore_distribution' as table_name,
        (select count(*) from {{ ref('fct_explore_distribution') }}) as in_mart,
        (select count(*) from {{ ref('memory__explore_distribution') }} where run_id in (select run_id from run)) as in_memory
    union all
    select
        'plan_power' as table_name,
        (select count(*) from {{ ref('fct_plan_power') }}) as in_mart,
        (select count(*) from {{ ref('memory__plan_power') }} where run_id in (select run_id from run)) as in_memory
    union all
    select
        'model_performance' as table_name,
        (select count(*) from {{ ref('fct_model_performance') }}) as in_mart,
        (select count(*) from {{ ref('memory__model_performance') }} where run_id in (select run_id from run)) as in_memory
    union all
    select
        'impact_diagnostics' as table_name,
        (select count(*) from {{ ref('fct_impact_diagnostics') }}) as in_mart,
        (select count(*) from {{ ref('memory__impact_diagnostics') }} where run_id in (select run_id from run)) as in_memory
    union all
    select
        'model_register' as table_name,
        (select count(*) from {{ ref('fct_model_register') }}) as in_mart,
        (select count(*) from {{ ref('memory__model_register') }} where run_id in (select run_id from run)) as in_memory
    union all
    select
        'monitoring_measures' as table_name,
        (select count(*) from {{ ref('fct_monitoring_measures') }}) as in_mart,
        (select count(*) from {{ ref('memory__monitoring_measures') }} where run_id in (select run_id from run)) as in_memory
    union all
    select
        'drift_alerts' as table_name,
        (select count(*) from {{ ref('fct_drift_alerts') }}) as in_mart,
        (select count(*) from {{ ref('memory__drift_alerts') }} where run_id in (select run_id from run)) as in_memory
    union all
    select
        'retraining_decisions' as table_name,
        (select count(*) from {{ ref('fct_retraining_decisions') }}) as in_mart,
        (select count(*) from {{ ref('memory__retraining_decisions') }} where run_id in (select run_id from run)) as in_memory
    union all
    select
        'churn_risk' as table_name,
        (select count(*) from {{ ref('fct_churn_risk') }}) as in_mart,
        (select count(*) from {{ ref('memory__churn_risk') }} where run_id in (select run_id from run)) as in_memory
    union all
    select
        'churn_performance' as table_name,
        (select count(*) from {{ ref('fct_churn_performance') }}) as in_mart,
        (select count(*) from {{ ref('memory__churn_performance') }} where run_id in (select run_id from run)) as in_memory
    union all
    select
        'segment_parity' as table_name,
        (select count(*) from {{ ref('fct_segment_parity') }}) as in_mart,
        (select count(*) from {{ ref('memory__segment_parity') }} where run_id in (select run_id from run)) as in_memory
    union all
    select
        'feature_proxies' as table_name,
        (select count(*) from {{ ref('fct_feature_proxies') }}) as in_mart,
        (select count(*) from {{ ref('memory__feature_proxies') }} where run_id in (select run_id from run)) as in_memory
    union all
    select
        'override_costs' as table_name,
        (select count(*) from {{ ref('fct_override_costs') }}) as in_mart,
        (select count(*) from {{ ref('memory__override_costs') }} where run_id in (select run_id from run)) as in_memory
    union all
    select
        'suggestion_adoption' as table_name,
        (select count(*) from {{ ref('fct_suggestion_adoption') }}) as in_mart,
        (select count(*) from {{ ref('memory__suggestion_adoption') }} where run_id in (select run_id from run)) as in_memory
)

select *
from counted
where in_mart != in_memory
