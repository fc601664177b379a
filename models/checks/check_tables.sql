{#- Missing tables, missing columns and columns of a wrong type, as the source properties promise them. -#}
{%- set is_sample = var('input_schema') == 'sample' %}
{%- set inputs = ['hcp_master', 'engagement_history', 'kpi_metrics', 'engagement_action_catalog', 'current_plan', 'suggestion_feedback'] %}
{%- set rules = ['rule_budget', 'rule_channel_capacity', 'rule_rep_capacity', 'rule_contact_limit', 'rule_exclusion', 'rule_consent', 'rule_access', 'rule_channel_window', 'rule_min_gap', 'rule_incompatible', 'rule_coverage_floor', 'rule_holdout', 'rule_override', 'feature_definition'] %}
{%- if is_sample %}
    {%- for name in inputs %}
-- depends_on: {{ input(name) }}
    {%- endfor %}
{%- endif %}
{%- if is_sample and not var('rule_schema') %}
    {%- for name in rules %}
-- depends_on: {{ rule(name) }}
    {%- endfor %}
{%- endif %}
{{ no_problem_rows() }}
{%- for source_name, names in [('input', inputs), ('rules', rules)] if execute %}
    {%- for name in names %}
        {%- set given = input(name) if source_name == 'input' else rule(name) %}
        {%- for found in table_problems(source_name, name, given) %}
union all
{{ problem_row(found['check'], found['severity'], name, found['column'], found['problem'], found['what_to_do']) }}
        {%- endfor %}
        {#- whatever table they are in: they are not even read -#}
        {%- for column in (columns_of(given) if not named_in_other_case(given) else {}).values() if column.name | lower not in var('nba_denied_except') | map('lower') and denied_as(column.name) | trim == 'patient data' %}
union all
{{ problem_row('patient_level', 'error', name, column.name, 'looks like data of single patients, which may never enter', 'leave the column out of the table, or of a view over it; if it means something else, name it in nba_denied_except') }}
        {%- endfor %}
    {%- endfor %}
{%- endfor %}
