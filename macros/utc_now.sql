{#- The moment in UTC as a timestamp without a zone: used for the time of publication only. -#}
{% macro utc_now() -%}
    {{ return(adapter.dispatch('utc_now', 'nba')()) }}
{%- endmacro %}

{% macro default__utc_now() -%}
    cast(current_timestamp at time zone 'UTC' as timestamp)
{%- endmacro %}

{% macro snowflake__utc_now() -%}
    cast(convert_timezone('UTC', current_timestamp()) as timestamp_ntz)
{%- endmacro %}
