{#- A double rounded to so many significant digits; null stays null and 0 stays 0. -#}
{% macro round_significant(expression, digits) -%}
    {{ return(adapter.dispatch('round_significant', 'nba')(expression, digits)) }}
{%- endmacro %}

{% macro default__round_significant(expression, digits) -%}
    case
        when {{ expression }} = 0 then 0
        else round({{ expression }}, {{ digits - 1 }} - cast(floor(log10(abs({{ expression }}))) as integer))
    end
{%- endmacro %}

{#- Only numeric can be rounded to a number of places here, and log is the decimal one. -#}
{% macro postgres__round_significant(expression, digits) -%}
    case
        when {{ expression }} = 0 then 0
        else cast(
            round(cast({{ expression }} as numeric), {{ digits - 1 }} - cast(floor(log(abs({{ expression }}))) as integer))
            as double precision
        )
    end
{%- endmacro %}

{% macro snowflake__round_significant(expression, digits) -%}
    case
        when {{ expression }} = 0 then 0
        else round({{ expression }}, {{ digits - 1 }} - cast(floor(log(10, abs({{ expression }}))) as integer))
    end
{%- endmacro %}
