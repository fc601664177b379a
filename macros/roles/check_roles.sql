{#- On-run-start, first of all: the roles that nba_roles names are there, and the one that builds is the one that should. -#}
{% macro check_roles() -%}
    {%- if execute and flags.WHICH in ('run', 'build', 'retry') and role_named('builder') -%}
        {{ return(adapter.dispatch('check_roles', 'nba')()) }}
    {%- endif -%}
{%- endmacro %}

{% macro default__check_roles() -%}
    {{ return('') }}
{%- endmacro %}

{% macro postgres__check_roles() -%}
    {%- set found = run_query("select current_setting('server_version_num')::int, current_user").rows[0] -%}
    {%- if found[0] < 150000 -%}
        {%- do exceptions.raise_compiler_error('nba_roles needs PostgreSQL 15 or later: views that ask with the rights of their reader came with it') -%}
    {%- endif -%}
    {%- set named = [] -%}
    {%- for role in var('nba_roles').values() -%}
        {%- do named.append(text_literal(role)) -%}
    {%- endfor -%}
    {%- set missing = run_query('select name from (values (' ~ (named | join('), (')) ~ ')) as given(name) where name not in (select rolname from pg_roles)').columns[0].values() -%}
    {%- if missing -%}
        {%- do exceptions.raise_compiler_error('The database has no role ' ~ (missing | join(', ')) ~ ', which nba_roles names. What to do: run `nba roles`.') -%}
    {%- elif found[1] != role_named('builder') -%}
        {%- do exceptions.raise_compiler_error(
            'This build runs as ' ~ found[1] ~ ', but nba_roles says that ' ~ role_named('builder') ~ ' builds: what it made would belong to the wrong role. '
            ~ 'What to do: log in as ' ~ role_named('builder') ~ ', or set it as `role:` in the target of profiles.yml (NBA_PG_ROLE).'
        ) -%}
    {%- endif -%}
    {{ return('') }}
{%- endmacro %}
