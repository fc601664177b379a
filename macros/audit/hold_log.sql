{#- A statement that lets one transaction at a time append to the log, until it ends; nothing where one writer is all there is.
    Snowflake neither locks nor enforces keys: a fork is found by `nba verify`. -#}
{% macro hold_log() -%}
    {{ return(adapter.dispatch('hold_log', 'nba')()) }}
{%- endmacro %}

{% macro default__hold_log() -%}
    {{ return('') }}
{%- endmacro %}

{% macro postgres__hold_log() -%}
    {{ return("select pg_advisory_xact_lock(hashtextextended(" ~ text_literal('nba audit log of ' ~ audit_log().schema) ~ ", 0));\n") }}
{%- endmacro %}
