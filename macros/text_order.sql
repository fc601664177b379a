{#- A text as it is to be ordered or compared for size: by code point, whatever the language of the database, as Arrow and Python do. -#}
{% macro text_order(expression) -%}
    {{ return(adapter.dispatch('text_order', 'nba')(expression)) }}
{%- endmacro %}

{% macro default__text_order(expression) -%}
{{ expression }}
{%- endmacro %}

{#- Equal texts stay equal: only the order is another. -#}
{% macro postgres__text_order(expression) -%}
({{ expression }}) collate "C"
{%- endmacro %}
