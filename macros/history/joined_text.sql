{#- The texts of a group as one, in an order. -#}
{% macro joined_text(expression, separator, order_by) -%}
    {{ return(adapter.dispatch('joined_text', 'nba')(expression, separator, order_by)) }}
{%- endmacro %}

{% macro default__joined_text(expression, separator, order_by) -%}
string_agg({{ expression }}, {{ text_literal(separator) }} order by {{ order_by }})
{%- endmacro %}

{% macro snowflake__joined_text(expression, separator, order_by) -%}
listagg({{ expression }}, {{ text_literal(separator) }}) within group (order by {{ order_by }})
{%- endmacro %}
