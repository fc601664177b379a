def model(dbt, session):
    """One row per run: the run's published tables in the serving file."""
    from nba.serving import serve_published_run

    dbt.config(materialized="incremental")
    published = {
        "assignments": dbt.ref("published__assignments"),
        "channel_usage": dbt.ref("published__channel_usage"),
        "channels": dbt.ref("published__channels"),
        "churn_performance": dbt.ref("published__churn_performance"),
        "churn_risk": dbt.ref("published__churn_risk"),
        "constraint_prices": dbt.ref("published__constraint_prices"),
        "explore_distribution": dbt.ref("published__explore_distribution"),
        "feature_proxies": dbt.ref("published__feature_proxies"),
        "gap_list": dbt.ref("published__gap_list"),
        "hcp_channel_scores": dbt.ref("published__hcp_channel_scores"),
        "hcp_period_metrics": dbt.ref("published__hcp_period_metrics"),
        "hcps": dbt.ref("published__hcps"),
        "impact_diagnostics": dbt.ref("published__impact_diagnostics"),
        "measured_lift": dbt.ref("published__measured_lift"),
        "model_performance": dbt.ref("published__model_performance"),
        "model_register": dbt.ref("published__model_register"),
        "monitoring_measures": dbt.ref("published__monitoring_measures"),
        "drift_alerts": dbt.ref("published__drift_alerts"),
        "retraining_decisions": dbt.ref("published__retraining_decisions"),
        "off_policy_value": dbt.ref("published__off_policy_value"),
        "override_costs": dbt.ref("published__override_costs"),
        "pair_blocks": dbt.ref("published__pair_blocks"),
        "plan_adherence": dbt.ref("published__plan_adherence"),
        "plan_history": dbt.ref("published__plan_history"),
        "plan_power": dbt.ref("published__plan_power"),
        "plan_summary": dbt.ref("published__plan_summary"),
        "recommendation_reasons": dbt.ref("published__recommendation_reasons"),
        "recommendations": dbt.ref("published__recommendations"),
        "rejections": dbt.ref("published__rejections"),
        "reps": dbt.ref("published__reps"),
        "rule_changes": dbt.ref("published__rule_changes"),
        "segment_parity": dbt.ref("published__segment_parity"),
        "suggestion_adoption": dbt.ref("published__suggestion_adoption"),
        "territories": dbt.ref("published__territories"),
        "territory_summary": dbt.ref("published__territory_summary"),
        "uplift_curve": dbt.ref("published__uplift_curve"),
    }
    return serve_published_run(session, dbt.ref("run_config"), dbt.ref("publish"), list(published), dbt.this.schema)
