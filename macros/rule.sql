{#- Where a rule table comes from: the sample's seed or the user's own table. Used in base_ views only. -#}
{% macro rule(name) -%}
    {%- if var('input_schema', 'sample') == 'sample' and not var('rule_schema', '') -%}
        {{ return(ref(name if name.startswith('rule_') else 'raw_' ~ name)) }}
    {%- else -%}
        {{ return(source('rules', name)) }}
    {%- endif -%}
{%- endmacro %}
