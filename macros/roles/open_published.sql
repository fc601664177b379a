{#- Post-hook of every published view: it asks with the rights of its reader, and only then may be read. -#}
{% macro open_published(relation) -%}
    {{ return(adapter.dispatch('open_published', 'nba')(relation) if execute and role_named('builder') else '') }}
{%- endmacro %}

{% macro default__open_published(relation) -%}
    {{ return('') }}
{%- endmacro %}

{% macro postgres__open_published(relation) -%}
    {%- set statements = ['alter view ' ~ relation ~ ' set (security_invoker = true)'] -%}
    {%- for kind in ['reader', 'rep', 'app'] if role_named(kind) -%}
        {%- do statements.append('grant select on ' ~ relation ~ ' to ' ~ adapter.quote(role_named(kind))) -%}
    {%- endfor -%}
    {{ return(statements | join(';\n')) }}
{%- endmacro %}
