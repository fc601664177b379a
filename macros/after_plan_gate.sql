{#- Pre-hook of every memory table: it waits for the gate on the way out, so that a plan which the gate stopped leaves no row where plans are kept.
    Exempt is what must be there before the gate speaks or whether it opens or not: what the gates found, and what later runs compare with. -#}
{% macro after_plan_gate() -%}
    {%- set before_the_gate = ['input_profiles', 'input_quality', 'plan_profiles', 'plan_quality', 'inputs_by_run', 'rules_by_run', 'rule_changes'] -%}
    {%- if model.name | replace('memory__', '') not in before_the_gate -%}
        {%- do ref('gate_plan_quality') -%}
    {%- endif -%}
{%- endmacro %}
