{#- Who acts, as a SQL expression: the environment variable NBA_ACTOR (a build server says for whom it builds), else the login. A DuckDB
    file has no logins: there it is the user of the operating system. -#}
{% macro acting_user() -%}
    {%- set said = (env_var('NBA_ACTOR', '') | trim) if execute else '' -%}
    {{ return(text_literal(said) if said else adapter.dispatch('acting_user', 'nba')()) }}
{%- endmacro %}

{% macro default__acting_user() -%}
    {{ return(text_literal(env_var('USER', '') or env_var('LOGNAME', '') or env_var('USERNAME', '') or 'unknown')) }}
{%- endmacro %}

{#- the login, not the role that a build takes on -#}
{% macro postgres__acting_user() -%}
    {{ return('cast(session_user as text)') }}
{%- endmacro %}

{% macro snowflake__acting_user() -%}
    {{ return('current_user()') }}
{%- endmacro %}
