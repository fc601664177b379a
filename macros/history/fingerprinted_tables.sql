{#- Names of all tables of the contract, inputs first, as nba/fingerprint.py has them. -#}
{% macro fingerprinted_tables() -%}
    {{ return(['hcp_master', 'engagement_history', 'kpi_metrics', 'engagement_action_catalog', 'current_plan', 'suggestion_feedback'] + rule_keys().keys() | list) }}
{%- endmacro %}
