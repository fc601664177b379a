{#- Runs a statement of a hook that defines something, and makes it last whatever becomes of the build. -#}
{% macro run_ddl(statement) -%}
    {{ return(adapter.dispatch('run_ddl', 'nba')(statement)) }}
{%- endmacro %}

{% macro default__run_ddl(statement) -%}
    {%- do run_query(statement) -%}
{%- endmacro %}

{#- The driver opens a transaction by itself, and dbt rolls back what it did not open. -#}
{% macro postgres__run_ddl(statement) -%}
    {%- do run_query(statement ~ '; commit') -%}
{%- endmacro %}
