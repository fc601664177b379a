{#- The date that lies so many months after another; first days of months stay first days. -#}
{% macro add_months(date, months) -%}
    {{ return(adapter.dispatch('add_months', 'nba')(date, months)) }}
{%- endmacro %}

{% macro default__add_months(date, months) -%}
    cast({{ date }} + ({{ months }}) * interval '1 month' as date)
{%- endmacro %}

{% macro snowflake__add_months(date, months) -%}
    cast(dateadd(month, {{ months }}, {{ date }}) as date)
{%- endmacro %}
