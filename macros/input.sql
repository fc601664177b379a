{#- Where an input table comes from: the sample's seed or the user's own table. Used in base_ views only. -#}
{% macro input(name) -%}
    {%- if var('input_schema', 'sample') == 'sample' -%}
        {{ return(ref('raw_' ~ name)) }}
    {%- else -%}
        {{ return(source('input', name)) }}
    {%- endif -%}
{%- endmacro %}
