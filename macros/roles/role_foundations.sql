{#- Statements on PostgreSQL: the table of access, the policies of both logs, and sight of the two schemas. They may be repeated. -#}
{% macro role_foundations() -%}
    {%- set statements = [
        'create table if not exists ' ~ role_access() ~ ' (login text not null, territory_id text, rep_id text, check (territory_id is not null or rep_id is not null))',
        protect_memory(role_access()),
        protect_memory(publications()),
        protect_memory(audit_log()),
        protect_memory(content_hashes()),
    ] -%}
    {%- for room in ['memory', 'published'] -%}
        {%- for kind in ['reader', 'rep', 'app'] if role_named(kind) -%}
            {%- do statements.append('grant usage on schema ' ~ room_relation(room, 'x').include(database=false, identifier=false) ~ ' to ' ~ adapter.quote(role_named(kind))) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(statements) }}
{%- endmacro %}
