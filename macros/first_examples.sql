{#- The three smallest different values of a text expression, as one text: the same examples every time. -#}
{% macro first_examples(expression) -%}
    {{ return(adapter.dispatch('first_examples', 'nba')(expression)) }}
{%- endmacro %}

{% macro duckdb__first_examples(expression) -%}
array_to_string(min(distinct {{ expression }}, 3), '; ')
{%- endmacro %}

{#- Nulls come last and are left out of the text. -#}
{% macro postgres__first_examples(expression) -%}
    {%- set value = text_order(expression) -%}
array_to_string((array_agg(distinct {{ value }} order by {{ value }}))[1:3], '; ')
{%- endmacro %}

{% macro snowflake__first_examples(expression) -%}
array_to_string(array_slice(array_sort(array_distinct(min_by({{ expression }}, {{ expression }}, 1000))), 0, 3), '; ')
{%- endmacro %}
