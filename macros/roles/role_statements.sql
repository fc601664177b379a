{#- All statements that set up roles on an engine, in their order. Which tables exist already is asked of the warehouse. -#}
{% macro default__role_statements() -%}
    {%- do exceptions.raise_compiler_error('targets of type ' ~ target.type ~ ' have no roles: whoever opens the file reads everything in it') -%}
{%- endmacro %}

{% macro postgres__role_statements() -%}
    {%- set builder = adapter.quote(role_named('builder')) -%}
    {%- set database = adapter.quote(target.database) -%}
    {%- set raw = loaded_schema() -%}
    {%- set statements = [] -%}
    {%- for role in var('nba_roles').values() -%}
        {%- do statements.append("do $$ begin if not exists (select 1 from pg_roles where rolname = '" ~ role ~ "') then create role " ~ adapter.quote(role) ~ ' nologin; end if; end $$') -%}
        {%- do statements.append('grant connect on database ' ~ database ~ ' to ' ~ adapter.quote(role)) -%}
    {%- endfor -%}
    {%- do statements.append('grant create on database ' ~ database ~ ' to ' ~ builder) -%}
    {%- for schema in project_schemas() -%}
        {%- if schema in [room_relation('memory', 'x').schema, room_relation('published', 'x').schema] -%}
            {%- do statements.append('create schema if not exists ' ~ adapter.quote(schema) ~ ' authorization ' ~ builder) -%}
        {%- endif -%}
        {%- do statements.append(owned_by(schema, role_named('builder'))) -%}
    {%- endfor -%}
    {%- if role_named('loader') -%}
        {%- set loader = adapter.quote(role_named('loader')) -%}
        {%- do statements.append('create schema if not exists ' ~ adapter.quote(raw) ~ ' authorization ' ~ loader) -%}
        {%- do statements.append(owned_by(raw, role_named('loader'))) -%}
        {%- do statements.append('grant usage on schema ' ~ adapter.quote(raw) ~ ' to ' ~ builder) -%}
        {%- do statements.append('grant select on all tables in schema ' ~ adapter.quote(raw) ~ ' to ' ~ builder) -%}
        {%- do statements.append('alter default privileges for role ' ~ loader ~ ' in schema ' ~ adapter.quote(raw) ~ ' grant select on tables to ' ~ builder) -%}
    {%- endif -%}
    {%- do statements.append('set role ' ~ builder) -%}
    {#- the first build makes these tables -#}
    {%- for statement in role_foundations() if not ('publications' in statement or 'audit_log' in statement or 'content_hashes' in statement) or room_relation_exists('memory', 'audit_log') -%}
        {%- do statements.append(statement) -%}
    {%- endfor -%}
    {%- for name, scope in row_scopes().items() if name not in ['publications', 'role_access', 'audit_log', 'content_hashes'] and room_relation_exists('memory', name) -%}
        {%- do statements.append(protect_memory(room_relation('memory', name))) -%}
    {%- endfor -%}
    {%- set shown = room_relation('published', 'x').schema -%}
    {%- for node in graph.nodes.values() if node.resource_type == 'model' and node.schema == shown and room_relation_exists('published', node.alias) -%}
        {%- do statements.append(open_published(room_relation('published', node.alias))) -%}
    {%- endfor -%}
    {%- do statements.append('reset role') -%}
    {{ return(statements) }}
{%- endmacro %}

{#- Roles first, then policies, grants last: a rep never reads a table before its policy stands. -#}
{% macro snowflake__role_statements() -%}
    {%- set memory = room_relation('memory', 'x').include(identifier=false) -%}
    {%- set published = room_relation('published', 'x').include(identifier=false) -%}
    {%- set raw = target.database ~ '.' ~ loaded_schema() -%}
    {%- set builder = role_named('builder') -%}
    {%- set statements = [] -%}
    {%- for role in var('nba_roles').values() -%}
        {%- do statements.append('create role if not exists ' ~ role) -%}
        {%- do statements.append('grant usage on database ' ~ target.database ~ ' to role ' ~ role) -%}
        {%- do statements.append('grant usage on warehouse ' ~ target.warehouse ~ ' to role ' ~ role) -%}
    {%- endfor -%}
    {%- do statements.append('grant create schema on database ' ~ target.database ~ ' to role ' ~ builder) -%}
    {%- do statements.append('create schema if not exists ' ~ memory) -%}
    {%- do statements.append('create schema if not exists ' ~ published) -%}
    {%- for schema in [memory, published] -%}
        {%- do statements.append('grant ownership on schema ' ~ schema ~ ' to role ' ~ builder ~ ' copy current grants') -%}
    {%- endfor -%}
    {%- if role_named('loader') -%}
        {%- do statements.append('create schema if not exists ' ~ raw) -%}
        {%- do statements.append('grant ownership on schema ' ~ raw ~ ' to role ' ~ role_named('loader') ~ ' copy current grants') -%}
        {%- do statements.append('grant usage on schema ' ~ raw ~ ' to role ' ~ builder) -%}
        {%- do statements.append('grant select on all tables in schema ' ~ raw ~ ' to role ' ~ builder) -%}
        {%- do statements.append('grant select on future tables in schema ' ~ raw ~ ' to role ' ~ builder) -%}
    {%- endif -%}
    {%- if role_named('rep') -%}
        {%- do statements.append('revoke select on all views in schema ' ~ published ~ ' from role ' ~ role_named('rep')) -%}
    {%- endif -%}
    {%- do statements.append('create table if not exists ' ~ role_access() ~ ' (login text not null, territory_id text, rep_id text)') -%}
    {%- do statements.append('grant ownership on table ' ~ role_access() ~ ' to role ' ~ builder ~ ' copy current grants') -%}
    {%- set policies = {
        'territory': ['row_territory_id'], 'rep': ['row_rep_id'], 'limit': ['row_territory_id', 'row_rep_id'], 'run': ['row_run_id'], 'manager': ['row_run_id'],
    } -%}
    {%- for scope, columns in policies.items() -%}
        {%- set body = visible_rows(scope, 'rep') -%}
        {%- set policy = memory ~ '.nba_' ~ scope -%}
        {%- do statements.append('create row access policy if not exists ' ~ policy ~ ' as (' ~ (columns | join(' text, ')) ~ ' text) returns boolean -> ' ~ body) -%}
        {%- do statements.append('alter row access policy ' ~ policy ~ ' set body -> ' ~ body) -%}
    {%- endfor -%}
    {%- for name, scope in row_scopes().items() if scope in policies and room_relation_exists('memory', name) -%}
        {%- set columns = policies[scope] | map('replace', 'row_', '', 1) | join(', ') -%}
        {%- do statements.append('alter table ' ~ room_relation('memory', name) ~ ' drop all row access policies') -%}
        {%- do statements.append('alter table ' ~ room_relation('memory', name) ~ ' add row access policy ' ~ memory ~ '.nba_' ~ scope ~ ' on (' ~ columns ~ ')') -%}
    {%- endfor -%}
    {%- for kind in ['reader', 'rep'] if role_named(kind) -%}
        {%- do statements.append('grant usage on schema ' ~ published ~ ' to role ' ~ role_named(kind)) -%}
        {%- do statements.append('grant select on all views in schema ' ~ published ~ ' to role ' ~ role_named(kind)) -%}
        {%- do statements.append('grant select on future views in schema ' ~ published ~ ' to role ' ~ role_named(kind)) -%}
    {%- endfor -%}
    {{ return(statements) }}
{%- endmacro %}
