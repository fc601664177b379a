{#- The three smallest values of a text expression, comma-separated: the same examples every time. -#}
{% macro first_examples(expression) -%}
    {{ return(adapter.dispatch('first_examples', 'nba')(expression)) }}
{%- endmacro %}

{% macro duckdb__first_examples(expression) -%}
array_to_string(min({{ expression }}, 3), '; ')
{%- endmacro %}
