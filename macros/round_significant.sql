{#- A double rounded to so many significant digits; null stays null and 0 stays 0. It is rounded to 12 digits first: engines add up in their own order,
    and where a mean of decimals lies just between two values the noise of the last bits must not decide. -#}
{% macro round_significant(expression, digits) -%}
    {{ return(adapter.dispatch('round_significant', 'nba')(expression, digits)) }}
{%- endmacro %}

{% macro default__round_significant(expression, digits) -%}
    case
        when {{ expression }} = 0 then 0
        else round(
            round({{ expression }}, greatest(11 - cast(floor(log10(abs({{ expression }}))) as integer), 0)),
            {{ digits - 1 }} - cast(floor(log10(abs({{ expression }}))) as integer)
        )
    end
{%- endmacro %}

{#- Doubles cannot be rounded to a number of places here; this is what the other engines do with them, to the last bit: scaled, half away from 0. -#}
{% macro postgres__round_significant(expression, digits) -%}
    {%- set size = 'abs(' ~ expression ~ ')' -%}
    {%- set point = 'floor(log(' ~ size ~ '))' -%}
    {%- set first_scale = 'power(10e0, greatest(11 - ' ~ point ~ ', 0))' -%}
    {%- set steadied = 'floor(' ~ size ~ ' * ' ~ first_scale ~ ' + 0.5) / ' ~ first_scale -%}
    {%- set scale = 'power(10e0, ' ~ (digits - 1) ~ ' - ' ~ point ~ ')' -%}
    {%- set large_scale = 'power(10e0, ' ~ point ~ ' - ' ~ (digits - 1) ~ ')' -%}
    case
        when {{ expression }} = 0 then 0
        -- no scale would fit
        when {{ size }} < 1e-280 then {{ expression }}
        when {{ size }} < 1e{{ digits }} then sign({{ expression }}) * floor({{ steadied }} * {{ scale }} + 0.5) / {{ scale }}
        else sign({{ expression }}) * floor({{ steadied }} / {{ large_scale }} + 0.5) * {{ large_scale }}
    end
{%- endmacro %}

{% macro snowflake__round_significant(expression, digits) -%}
    case
        when {{ expression }} = 0 then 0
        else round(
            round({{ expression }}, greatest(11 - cast(floor(log(10, abs({{ expression }}))) as integer), 0)),
            {{ digits - 1 }} - cast(floor(log(10, abs({{ expression }}))) as integer)
        )
    end
{%- endmacro %}
