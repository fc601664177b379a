{#- True for a text that does not read as a number. -#}
{% macro is_not_number_text(expression) -%}
    {{ return(adapter.dispatch('is_not_number_text', 'nba')(expression)) }}
{%- endmacro %}

{% macro duckdb__is_not_number_text(expression) -%}
(try_cast({{ expression }} as double) is null)
{%- endmacro %}

{#- A cast that fails stops the query here: what passes must not overflow either, hence the bounds on the digits. -#}
{% macro postgres__is_not_number_text(expression) -%}
(coalesce(
    {{ expression }} !~* '^[[:space:]]*([-+]?([0-9]{1,200}([.][0-9]{0,200})?|[.][0-9]{1,200})(e[-+]?[0-9]{1,2})?|nan|[-+]?inf(inity)?)[[:space:]]*$',
    true
))
{%- endmacro %}

{% macro snowflake__is_not_number_text(expression) -%}
(try_cast({{ expression }} as double) is null)
{%- endmacro %}
