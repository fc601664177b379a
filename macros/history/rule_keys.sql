{#- The rule tables and the columns that name a row of each: a row that changes keeps them. Whatever else a table has may change. -#}
{% macro rule_keys() -%}
    {{ return({
        'rule_budget': ['channel', 'territory_id'],
        'rule_channel_capacity': ['channel', 'territory_id'],
        'rule_rep_capacity': ['rep_id', 'territory_id', 'channel'],
        'rule_contact_limit': ['channel', 'attribute', 'value', 'window_days'],
        'rule_exclusion': ['hcp_id', 'channel'],
        'rule_consent': ['hcp_id', 'channel'],
        'rule_access': ['rep_access', 'channel'],
        'rule_channel_window': ['channel', 'territory_id'],
        'rule_min_gap': ['last_channel', 'channel'],
        'rule_incompatible': ['channel_a', 'channel_b'],
        'rule_coverage_floor': ['territory_id', 'attribute', 'operator', 'value', 'channel'],
        'rule_holdout': ['arm'],
        'rule_override': ['hcp_id', 'channel'],
        'feature_definition': ['feature_name'],
    }) }}
{%- endmacro %}
