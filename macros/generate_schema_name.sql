{#- Rooms are schemas with plain names: no target schema in front, only the run's own prefix. The sample's inputs take none. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {%- set name = (custom_schema_name or target.schema) | trim -%}
    {%- if name == 'sample' -%}
        {{ name }}
    {%- else -%}
        {{ var('nba_schema_prefix', '') }}{{ name }}
    {%- endif -%}
{%- endmacro %}
