{#- Rooms are schemas with plain names: no target schema in front, only the run's own prefix. The sample's inputs take none. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {%- set prefix = var('nba_schema_prefix', '') -%}
    {#- asked here because schemas are created before any model runs -#}
    {%- if prefix is not string or not modules.re.fullmatch('([A-Za-z_][A-Za-z0-9_]{0,40})?', prefix) -%}
        {%- do exceptions.raise_compiler_error('vars.nba_schema_prefix is no beginning of schema names: ' ~ prefix ~ '. What to do: give letters, digits and underscores, or leave it empty.') -%}
    {%- endif -%}
    {%- set name = (custom_schema_name or target.schema) | trim -%}
    {%- if name == 'sample' -%}
        {#- a reserved word on Snowflake -#}
        {{ 'nba_sample' if target.type == 'snowflake' else name }}
    {%- else -%}
        {{ prefix }}{{ name }}
    {%- endif -%}
{%- endmacro %}
