{#- The date that lies so many periods after another, in the grain of the run: a week has 7 days, a month is a calendar month. -#}
{% macro add_periods(date, periods, grain) -%}
    {{ return(adapter.dispatch('add_periods', 'nba')(date, periods, grain)) }}
{%- endmacro %}

{% macro default__add_periods(date, periods, grain) -%}
    case when {{ grain }} = 'week' then {{ date }} + 7 * cast({{ periods }} as integer) else {{ add_months(date, periods) }} end
{%- endmacro %}

{% macro snowflake__add_periods(date, periods, grain) -%}
    case
        when {{ grain }} = 'week' then cast(dateadd(day, 7 * {{ periods }}, {{ date }}) as date)
        else {{ add_months(date, periods) }}
    end
{%- endmacro %}
