{#- A column that the project makes, by a name that need not be a plain word: quoted, in the case in which the warehouse keeps names without quotes, so that
    it is found with and without them. `name` is lower case. -#}
{% macro own_column(name) -%}
    {{ return(adapter.dispatch('own_column', 'nba')(name)) }}
{%- endmacro %}

{% macro default__own_column(name) -%}
    {{ return(adapter.quote(name)) }}
{%- endmacro %}

{% macro snowflake__own_column(name) -%}
    {{ return(adapter.quote(name | upper)) }}
{%- endmacro %}
