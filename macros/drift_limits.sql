{#- From which effect on a measure is a notice, a warning, an error, and the n it needs; the var nba_drift_limits changes them by measure:
    {'limits': {measure: {notice, warn, error, least_n}}, 'problems': [...]}. docs/monitoring.md says where the numbers come from. -#}
{% macro drift_limits() -%}
    {%- set limits = {
        'psi': {'notice': 0.1, 'warn': 0.25, 'error': none, 'least_n': 100},
        'ks': {'notice': 0.125, 'warn': 0.2, 'error': none, 'least_n': 100},
        'auc': {'notice': 0.03, 'warn': 0.06, 'error': none, 'least_n': 50},
        'calibration': {'notice': 0.15, 'warn': 0.3, 'error': none, 'least_n': 50},
        'touch_trend': {'notice': 0.25, 'warn': 0.5, 'error': none, 'least_n': 8},
        'response_trend': {'notice': 0.25, 'warn': 0.5, 'error': none, 'least_n': 100},
        'kpi_trend': {'notice': 0.15, 'warn': 0.3, 'error': none, 'least_n': 8},
        'touch_mix': {'notice': 0.15, 'warn': 0.3, 'error': none, 'least_n': 200},
        'plan_mix': {'notice': 0.2, 'warn': 0.4, 'error': none, 'least_n': 50},
        'plan_stability': {'notice': 0.8, 'warn': none, 'error': none, 'least_n': 50},
        'price_drift': {'notice': 0.5, 'warn': none, 'error': none, 'least_n': 1},
        'engagement_freshness': {'notice': 14, 'warn': 42, 'error': none, 'least_n': 0},
        'kpi_freshness': {'notice': 63, 'warn': 91, 'error': none, 'least_n': 0},
        'model_refused': {'notice': none, 'warn': 1, 'error': none, 'least_n': 0},
    } -%}
    {%- set problems = [] -%}
    {%- set given = var('nba_drift_limits', {}) -%}
    {%- if given is not mapping -%}
        {%- do problems.append({'switch': 'nba_drift_limits', 'problem': 'is not a mapping', 'what_to_do': 'write {psi: {warn: 0.3}}', 'severity': 'error'}) -%}
        {%- set given = {} -%}
    {%- endif -%}
    {%- for measure, own in given.items() -%}
        {%- if measure not in limits or own is not mapping -%}
            {%- do problems.append({'switch': 'nba_drift_limits', 'problem': 'names no limits of a measure: ' ~ measure, 'what_to_do': 'write {measure: {warn: 0.3}} with one of ' ~ (limits | join(', ')), 'severity': 'error'}) -%}
        {%- else -%}
            {%- for level, limit in own.items() -%}
                {%- if level not in ['notice', 'warn', 'error', 'least_n'] or (limit is not none and (limit is boolean or limit is not number or limit < 0)) -%}
                    {%- do problems.append({'switch': 'nba_drift_limits', 'problem': 'holds what is no limit: ' ~ measure ~ ' ' ~ level ~ ': ' ~ limit, 'what_to_do': 'give notice, warn, error or least_n a number >= 0, or null for never', 'severity': 'error'}) -%}
                {%- else -%}
                    {%- do limits[measure].update({level: limit if level != 'least_n' or limit is not none else 0}) -%}
                {%- endif -%}
            {%- endfor -%}
            {%- set levels = [limits[measure]['notice'], limits[measure]['warn'], limits[measure]['error']] | reject('none') | list -%}
            {%- if levels != levels | sort -%}
                {%- do problems.append({'switch': 'nba_drift_limits', 'problem': 'falls from notice to warn to error: ' ~ measure ~ ' ' ~ (levels | join(', ')), 'what_to_do': 'let the graver level need the larger effect', 'severity': 'error'}) -%}
            {%- endif -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return({'limits': limits, 'problems': problems}) }}
{%- endmacro %}
