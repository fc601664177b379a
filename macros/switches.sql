{#- All run switches, cast, and what is wrong with them: {'values': {...}, 'problems': [{switch, problem, what_to_do, severity}]}.
    The one place that reads the vars; check_switches turns problems into rows, run_config turns values into columns. -#}
{% macro switches() -%}
    {%- set values = {} -%}
    {%- set problems = [] -%}

    {#- name: [kind, lowest, highest] -#}
    {%- set numbers = {
        'nba_cycle_periods': ['integer', 0, 52],
        'nba_engagement_known_lag': ['integer', 0, 52],
        'nba_kpi_known_lag': ['integer', 0, 52],
        'nba_kpi_lag_periods': ['integer', -1, 104],
        'nba_window_short': ['integer', 1, 520],
        'nba_window_long': ['integer', 1, 520],
        'nba_training_snapshots': ['integer', 1, 520],
        'nba_training_hcps': ['integer', 1, 1000000000],
        'nba_min_channel_touches': ['integer', 0, 1000000000],
        'nba_seed': ['integer', 0, 2147483647],
        'nba_retrain_cycles': ['integer', 1, 1000],
        'nba_promotion_margin': ['number', 0, 0.5],
        'nba_profile_pairs': ['integer', 1000, 1000000000],
        'nba_impact_prior_cv': ['number', 0.000001, 100],
        'nba_impact_hcps': ['integer', 1, 1000000000],
        'nba_impact_carry_over': ['number', 0, 0.99],
        'nba_churn_min_kpi': ['number', 0, 1000000000000],
        'nba_churn_drop': ['number', 0.01, 1],
        'nba_churn_periods': ['integer', 0, 52],
        'nba_churn_value': ['number', 0, 1000000000000],
        'nba_overlap': ['number', 0, 0.5],
        'nba_explore_cold_share': ['number', 0, 1],
        'nba_floor_penalty': ['number', -1, 1000000000000],
        'nba_gap': ['number', 0.000000001, 1],
        'nba_node_limit': ['integer', 1, 1000000000],
        'nba_stability_share': ['number', 0, 0.99],
        'nba_step_limits': ['integer', 0, 1000],
        'nba_keep_runs': ['integer', 2, 100000],
        'nba_keep_inputs': ['integer', 0, 100000],
        'nba_keep_input_rows': ['integer', 0, 1000000000000],
        'nba_fairness_warn': ['number', 0, 1],
        'nba_fairness_error': ['number', 0, 1],
        'nba_fairness_min_hcps': ['integer', 1, 1000000000],
        'nba_proxy_threshold': ['number', 0, 1],
        'nba_proxy_min_hcps': ['integer', 10, 1000000000],
        'nba_suppress_days': ['integer', 0, 3650],
        'nba_suppress_after': ['integer', 1, 1000],
        'nba_gate_min_hcps': ['integer', 1, 1000000000],
        'nba_gate_volume_drop': ['number', 0.01, 0.99],
        'nba_gate_share_shift': ['number', 0.01, 1],
        'nba_gate_level_factor': ['number', 1.01, 1000000],
        'nba_gate_warn_at': ['number', 0.01, 1],
        'nba_gate_late_periods': ['integer', -1, 520],
    } -%}
    {%- for name, rule in numbers.items() -%}
        {%- set given = var(name) -%}
        {%- set text = given | string | trim -%}
        {%- set is_number = modules.re.fullmatch('[-+]?([0-9]{1,40}[.]?[0-9]*|[.][0-9]+)([eE][-+]?[0-9]{1,2})?', text) is not none -%}
        {%- set parsed = (text | float) if is_number else none -%}
        {%- if parsed is none or given is boolean or (rule[0] == 'integer' and parsed != (parsed | int)) -%}
            {%- do problems.append({'switch': name, 'problem': 'is not ' ~ ('an ' if rule[0] == 'integer' else 'a ') ~ rule[0] ~ ': ' ~ text, 'what_to_do': 'give ' ~ ('an ' if rule[0] == 'integer' else 'a ') ~ rule[0] ~ ' from ' ~ rule[1] ~ ' to ' ~ rule[2], 'severity': 'error'}) -%}
            {%- do values.update({name: rule[1]}) -%}
        {%- elif parsed < rule[1] or parsed > rule[2] -%}
            {%- do problems.append({'switch': name, 'problem': 'is out of range: ' ~ text, 'what_to_do': 'give a value from ' ~ rule[1] ~ ' to ' ~ rule[2], 'severity': 'error'}) -%}
            {%- do values.update({name: rule[1]}) -%}
        {%- else -%}
            {%- do values.update({name: (parsed | int) if rule[0] == 'integer' else parsed}) -%}
        {%- endif -%}
    {%- endfor -%}

    {%- set choices = {
        'kpi_absent': ['zero', 'unknown'],
        'nba_impact_checks': ['warn', 'error'],
        'nba_retrain': ['auto', 'always', 'never'],
        'nba_model_approval': ['none', 'required'],
        'unknown_hcp': ['error', 'drop'],
        'nba_plan_on': ['warehouse', 'client'],
        'nba_publish_past': ['true', 'false'],
        'nba_gate_volume': ['error', 'warn', 'off'],
        'nba_gate_freshness': ['error', 'warn', 'off'],
        'nba_gate_distribution': ['error', 'warn', 'off'],
        'nba_gate_coverage': ['error', 'warn', 'off'],
        'nba_gate_plan': ['error', 'warn', 'off'],
    } -%}
    {%- for name, allowed in choices.items() -%}
        {%- set text = var(name) | string | lower | trim -%}
        {%- if text not in allowed -%}
            {%- do problems.append({'switch': name, 'problem': 'is unknown: ' ~ text, 'what_to_do': 'give one of ' ~ (allowed | join(', ')), 'severity': 'error'}) -%}
        {%- endif -%}
        {%- do values.update({name: text}) -%}
    {%- endfor -%}

    {#- the cycle date is always explicit; only the sample has its own -#}
    {%- set is_sample = var('input_schema') == 'sample' -%}
    {%- set given_start = var('nba_cycle_start') | string | trim -%}
    {%- if given_start in ['', 'None'] and is_sample -%}
        {%- set given_start = var('nba_sample_cycle_start') -%}
    {%- endif -%}
    {%- set is_loading = var('nba_loading', false) -%}
    {%- set matches = modules.re.fullmatch('[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])', given_start) is not none -%}
    {%- set year = given_start[:4] | int if matches else 1 -%}
    {%- set month = given_start[5:7] | int if matches else 1 -%}
    {%- set day = given_start[8:10] | int if matches else 1 -%}
    {%- set is_leap = (year % 4 == 0 and year % 100 != 0) or year % 400 == 0 -%}
    {%- set month_days = [31, 29 if is_leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] -%}
    {%- if is_loading -%}
        {%- do values.update({'nba_cycle_start': none}) -%}
    {%- elif given_start in ['', 'None'] -%}
        {%- do problems.append({'switch': 'nba_cycle_start', 'problem': 'is missing', 'what_to_do': "say which cycle to plan: --vars '{input_schema: " ~ var('input_schema') ~ ', nba_cycle_start: "2026-01-05"}' ~ "'", 'severity': 'error'}) -%}
        {%- do values.update({'nba_cycle_start': none}) -%}
    {%- elif not matches or day > month_days -%}
        {%- do problems.append({'switch': 'nba_cycle_start', 'problem': 'is not a date: ' ~ given_start, 'what_to_do': 'give a quoted ISO date such as "2026-01-05"', 'severity': 'error'}) -%}
        {%- do values.update({'nba_cycle_start': none}) -%}
    {%- elif year < 1900 or year > 2200 -%}
        {%- do problems.append({'switch': 'nba_cycle_start', 'problem': 'is out of range: ' ~ given_start, 'what_to_do': 'give a date from 1900 to 2200', 'severity': 'error'}) -%}
        {%- do values.update({'nba_cycle_start': none}) -%}
    {%- else -%}
        {%- do values.update({'nba_cycle_start': given_start}) -%}
    {%- endif -%}

    {%- set broken = problems | map(attribute='switch') | list -%}
    {%- if values['nba_window_short'] >= values['nba_window_long'] and 'nba_window_short' not in broken and 'nba_window_long' not in broken -%}
        {%- do problems.append({'switch': 'nba_window_short', 'problem': 'contradicts nba_window_long: ' ~ values['nba_window_short'] ~ ' is not shorter than ' ~ values['nba_window_long'], 'what_to_do': 'make the short window shorter than the long one', 'severity': 'error'}) -%}
    {%- endif -%}
    {%- if values['nba_churn_value'] > 0 -%}
        {%- do problems.append({'switch': 'nba_churn_value', 'problem': 'is not 0: ' ~ values['nba_churn_value'] ~ ', but no effect of a touch on churn is estimated yet, and risk times value is none', 'what_to_do': 'leave it at 0; churn_risk shows who is at risk', 'severity': 'error'}) -%}
    {%- endif -%}
    {%- if values['nba_floor_penalty'] < 0 and values['nba_floor_penalty'] != -1 -%}
        {%- do problems.append({'switch': 'nba_floor_penalty', 'problem': 'is negative: ' ~ values['nba_floor_penalty'], 'what_to_do': 'give a penalty >= 0, or -1 for the default', 'severity': 'error'}) -%}
    {%- endif -%}
    {%- do problems.extend(drift_limits()['problems']) -%}
    {%- if is_sample and (var('input_tables') or var('input_database')) -%}
        {%- do problems.append({'switch': 'input_tables' if var('input_tables') else 'input_database', 'problem': 'contradicts input_schema: sample, whose tables are the seeds', 'what_to_do': 'set input_schema to the schema of your own tables', 'severity': 'error'}) -%}
    {%- endif -%}
    {%- set prefix = var('nba_schema_prefix') -%}
    {%- set rooms = ['base', 'checks', 'staging', 'features', 'scores', 'plan', 'marts', 'memory', 'published'] -%}
    {%- for name in ['input_schema', 'rule_schema'] -%}
        {%- if (name == 'input_schema' or var(name)) and (var(name) is not string or not var(name) | trim) -%}
            {%- do problems.append({'switch': name, 'problem': 'is no name of a schema: ' ~ var(name), 'what_to_do': 'name the schema that holds your own tables', 'severity': 'error'}) -%}
        {%- endif -%}
        {%- for room in rooms if var(name) | string | lower == (prefix ~ room) | lower -%}
            {%- do problems.append({'switch': name, 'problem': 'contradicts the project: the build itself writes schema ' ~ prefix ~ room, 'what_to_do': 'put your own tables into another schema', 'severity': 'error'}) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- if var('input_tables') is mapping -%}
        {%- for name in var('input_tables') if contract_table('input', name) is none and execute -%}
            {%- do problems.append({'switch': 'input_tables', 'problem': 'names an unknown input: ' ~ name, 'what_to_do': 'use hcp_master, engagement_history, kpi_metrics, engagement_action_catalog, current_plan or suggestion_feedback', 'severity': 'error'}) -%}
        {%- endfor -%}
    {%- else -%}
        {%- do problems.append({'switch': 'input_tables', 'problem': 'is not a mapping', 'what_to_do': 'write {hcp_master: your_table}', 'severity': 'error'}) -%}
    {%- endif -%}
    {%- set attributes = var('hcp_attributes') -%}
    {%- if attributes is string or attributes is mapping or attributes is not iterable -%}
        {%- do problems.append({'switch': 'hcp_attributes', 'problem': 'is not a list', 'what_to_do': 'write [column_a, column_b]', 'severity': 'error'}) -%}
        {%- set attributes = [] -%}
    {%- endif -%}
    {%- set identifiers = ['hcp_id', 'npi', 'full_name', 'crm_account_id', 'brand_id'] -%}
    {%- set standing = ['specialty', 'practice_type', 'rep_access', 'decile', 'channel', 'segment', 'kpi_level', 'kpi_periods', 'snapshot_date', 'is_scoring', 'horizon_end', 'is_at_risk', 'baseline_kpi', 'baseline_known', 'market_index', 'horizon_kpi', 'expected_kpi', 'fall', 'has_churned'] -%}
    {%- for name in attributes if name | lower in identifiers + standing -%}
        {%- do problems.append({'switch': 'hcp_attributes', 'problem': 'names ' ~ name ~ (', which identifies a person or an account' if name | lower in identifiers else ', whose name is taken by a column of the feature tables'), 'what_to_do': 'take it out of the list', 'severity': 'error'}) -%}
    {%- endfor -%}
    {%- for name in attributes if name is not string or ',' in name or not name | trim -%}
        {%- do problems.append({'switch': 'hcp_attributes', 'problem': 'holds what is no column name: ' ~ name, 'what_to_do': 'name columns of hcp_master; a name may not hold a comma', 'severity': 'error'}) -%}
    {%- endfor -%}
    {%- do values.update({'hcp_attributes': attributes | select('string') | map('lower') | list}) -%}
    {%- set lists = ['nba_denied_identifiers', 'nba_denied_false_friends', 'nba_denied_except', 'nba_fairness_segments', 'nba_suppress_reasons'] -%}
    {%- for name in lists -%}
        {%- set given = var(name) -%}
        {%- set is_list = given is not string and given is not mapping and given is iterable and given | reject('string') | list == [] -%}
        {%- if not is_list -%}
            {%- do problems.append({'switch': name, 'problem': 'is not a list of texts', 'what_to_do': 'write [one, another]', 'severity': 'error'}) -%}
        {%- endif -%}
        {%- do values.update({name: given | list if is_list else []}) -%}
    {%- endfor -%}
    {%- if var('nba_denied_attributes') is not mapping -%}
        {%- do problems.append({'switch': 'nba_denied_attributes', 'problem': 'is not a mapping of groups to terms', 'what_to_do': 'write {gender: [gender, sex]}', 'severity': 'error'}) -%}
    {%- endif -%}
    {%- if values['nba_fairness_error'] > values['nba_fairness_warn'] -%}
        {%- do problems.append({'switch': 'nba_fairness_error', 'problem': 'is above nba_fairness_warn: ' ~ values['nba_fairness_error'], 'what_to_do': 'make the share that stops a plan smaller than the one that warns', 'severity': 'error'}) -%}
    {%- endif -%}
    {%- for name in attributes | select('string') if name | lower not in identifiers + standing -%}
        {%- set group = denied_as(name) | trim -%}
        {%- if group and name | lower in values['nba_denied_except'] | map('lower') | list -%}
            {%- do problems.append({'switch': 'nba_denied_except', 'problem': 'lets ' ~ name ~ ' be a feature, whose name looks like ' ~ group, 'what_to_do': 'nothing, if the column means something else', 'severity': 'warn'}) -%}
        {%- elif group -%}
            {%- do problems.append({'switch': 'hcp_attributes', 'problem': 'names ' ~ name ~ ', which may be ' ~ group ~ ' and may never be a feature', 'what_to_do': 'take it out of the list; rule_coverage_floor may name it, so that a group is reached. If it means something else, name it in nba_denied_except', 'severity': 'error'}) -%}
        {%- endif -%}
    {%- endfor -%}

    {#- a mistyped switch must not pass in silence -#}
    {%- set known = numbers.keys() | list + choices.keys() | list + lists + ['nba_denied_attributes', 'nba_cycle_start', 'nba_sample_cycle_start', 'nba_loading', 'input_schema', 'input_database', 'input_tables', 'rule_schema', 'nba_schema_prefix', 'hcp_attributes', 'nba_drift_limits', 'nba_roles'] -%}
    {%- set given_vars = invocation_args_dict.get('vars', {}) -%}
    {%- for name in (given_vars if given_vars is mapping else {}) if name not in known -%}
        {%- do problems.append({'switch': name, 'problem': 'is not a switch of this project', 'what_to_do': 'see the vars in dbt_project.yml for the names', 'severity': 'error'}) -%}
    {%- endfor -%}

    {{ return({'values': values, 'problems': problems}) }}
{%- endmacro %}
