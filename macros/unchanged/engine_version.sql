{#- Expression: the release of the engine. -#}
{% macro engine_version() -%}
    {{ return(adapter.dispatch('engine_version', 'nba')()) }}
{%- endmacro %}

{% macro default__engine_version() -%}
    {{ return('version()') }}
{%- endmacro %}

{% macro snowflake__engine_version() -%}
    {{ return('current_version()') }}
{%- endmacro %}
