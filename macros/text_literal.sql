{#- A text as a SQL literal. -#}
{% macro text_literal(text) -%}
    {{ return(adapter.dispatch('text_literal', 'nba')(text)) }}
{%- endmacro %}

{% macro default__text_literal(text) -%}
    {{ return("'" ~ (text | string | replace("'", "''")) ~ "'") }}
{%- endmacro %}

{#- A backslash begins an escape here. -#}
{% macro snowflake__text_literal(text) -%}
    {{ return("'" ~ (text | string | replace("\\", "\\\\") | replace("'", "''")) ~ "'") }}
{%- endmacro %}
