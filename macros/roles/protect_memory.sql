{#- Post-hook of every memory table: row security on, policies as row_scopes says, then the grants, all in the transaction that made the
    table. Nothing without nba_roles, and nothing where the engine knows no policies that a hook could set. -#}
{% macro protect_memory(relation) -%}
    {{ return(adapter.dispatch('protect_memory', 'nba')(relation) if execute and role_named('builder') else '') }}
{%- endmacro %}

{% macro default__protect_memory(relation) -%}
    {{ return('') }}
{%- endmacro %}

{% macro postgres__protect_memory(relation) -%}
    {%- set scope = row_scopes().get(relation.identifier) -%}
    {%- if scope is none -%}
        {%- do exceptions.raise_compiler_error(relation ~ ' has no row scope: say in macros/roles/row_scopes.sql which of its rows a rep sees') -%}
    {%- endif -%}
    {%- set statements = ['alter table ' ~ relation ~ ' enable row level security'] -%}
    {%- for kind in ['reader', 'rep', 'app'] -%}
        {%- set role = role_named(kind) -%}
        {%- set is_theirs = role and scope != 'none' and not (scope == 'own' and kind != 'rep') -%}
        {%- do statements.append('drop policy if exists nba_' ~ kind ~ ' on ' ~ relation) -%}
        {%- if is_theirs -%}
            {%- set condition = 'true' if kind == 'reader' else visible_rows(scope, kind) -%}
            {%- do statements.append('create policy nba_' ~ kind ~ ' on ' ~ relation ~ ' for select to ' ~ adapter.quote(role) ~ ' using (' ~ condition ~ ')') -%}
            {%- do statements.append('grant select on ' ~ relation ~ ' to ' ~ adapter.quote(role)) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(statements | join(';\n')) }}
{%- endmacro %}
