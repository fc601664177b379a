{#- A timestamp as ISO text with six decimals of the second, whatever the session's format: hashes are made of it. -#}
{% macro moment_text(expression) -%}
    {{ return(adapter.dispatch('moment_text', 'nba')(expression)) }}
{%- endmacro %}

{% macro default__moment_text(expression) -%}
strftime({{ expression }}, '%Y-%m-%d %H:%M:%S.%f')
{%- endmacro %}

{% macro postgres__moment_text(expression) -%}
to_char({{ expression }}, 'YYYY-MM-DD HH24:MI:SS.US')
{%- endmacro %}

{% macro snowflake__moment_text(expression) -%}
to_char({{ expression }}, 'YYYY-MM-DD HH24:MI:SS.FF6')
{%- endmacro %}
