{#- A date as ISO text, whatever date style the session has: hashes are made of it. -#}
{% macro date_text(expression) -%}
    {{ return(adapter.dispatch('date_text', 'nba')(expression)) }}
{%- endmacro %}

{% macro default__date_text(expression) -%}
cast({{ expression }} as text)
{%- endmacro %}

{% macro postgres__date_text(expression) -%}
to_char({{ expression }}, 'YYYY-MM-DD')
{%- endmacro %}

{% macro snowflake__date_text(expression) -%}
to_char({{ expression }}, 'YYYY-MM-DD')
{%- endmacro %}
