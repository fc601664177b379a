{#- Statements that hold all or none. dbt has opened a transaction, except on Snowflake. -#}
{% macro as_one_change(statements) -%}
    {{ return(adapter.dispatch('as_one_change', 'nba')(statements)) }}
{%- endmacro %}

{% macro default__as_one_change(statements) -%}
    {{ return(statements) }}
{%- endmacro %}

{% macro snowflake__as_one_change(statements) -%}
    {{ return(snowflake_dml_explicit_transaction(statements)) }}
{%- endmacro %}
