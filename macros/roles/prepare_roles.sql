{#- On-run-start, after prepare_memory: what policies stand on, and who may look into the two schemas. -#}
{% macro prepare_roles() -%}
    {%- if execute and flags.WHICH in ('run', 'build', 'retry') and role_named('builder') -%}
        {{ return(adapter.dispatch('prepare_roles', 'nba')()) }}
    {%- endif -%}
{%- endmacro %}

{% macro default__prepare_roles() -%}
    {{ return('') }}
{%- endmacro %}

{% macro postgres__prepare_roles() -%}
    {{ return(role_foundations() | join(';\n')) }}
{%- endmacro %}
