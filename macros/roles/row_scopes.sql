{#- Which rows of a memory table a rep sees: the one place that says it. A table that is not here is seen by the builder alone.
    territory: rows of own territories; rep: rows of own rep_ids; limit: limits of own territories and rep_ids, and those of everybody;
    run: every row, for whoever has any access at all; manager: every row, for whoever sees all territories; own: rows about oneself;
    none: no row. -#}
{% macro row_scopes() -%}
    {{ return({
        'recommendations': 'territory',
        'recommendation_reasons': 'territory',
        'hcp_channel_scores': 'territory',
        'pair_blocks': 'territory',
        'rejections': 'territory',
        'assignments': 'territory',
        'explore_distribution': 'territory',
        'plan_power': 'run',
        'hcps': 'territory',
        'hcp_period_metrics': 'territory',
        'gap_list': 'territory',
        'churn_risk': 'territory',
        'territories': 'territory',
        'territory_summary': 'territory',
        'channel_usage': 'territory',
        'reps': 'rep',
        'constraint_prices': 'limit',
        'channels': 'run',
        'plan_summary': 'run',
        'model_performance': 'run',
        'impact_diagnostics': 'run',
        'churn_performance': 'run',
        'measured_lift': 'run',
        'off_policy_value': 'run',
        'uplift_curve': 'run',
        'plan_adherence': 'territory',
        'publications': 'run',
        'audit_log': 'manager',
        'role_access': 'own',
        'models': 'none',
        'churn_models': 'none',
        'impact_models': 'none',
        'publish': 'run',
    }) }}
{%- endmacro %}
