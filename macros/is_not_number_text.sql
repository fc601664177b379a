{#- True for a text that does not read as a number. -#}
{% macro is_not_number_text(expression) -%}
    {{ return(adapter.dispatch('is_not_number_text', 'nba')(expression)) }}
{%- endmacro %}

{% macro duckdb__is_not_number_text(expression) -%}
(try_cast({{ expression }} as double) is null)
{%- endmacro %}
