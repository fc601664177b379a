{#- On-run-start: the schemas that outlive a build, the log of publications and the log of events. Nothing that a model writes is made here. -#}
{% macro prepare_memory() -%}
    {%- if execute and flags.WHICH in ('run', 'build', 'retry') -%}
        {%- do refuse_file_named_as_schema() -%}
        {%- for room in ['memory', 'published', 'checks'] -%}
            {%- do run_ddl('create schema if not exists ' ~ room_relation(room, 'x').include(database=false, identifier=false)) -%}
        {%- endfor -%}
        {%- set statement -%}
            create table if not exists {{ publications() }} (
                run_id text not null,
                cycle_start date not null,
                published_at timestamp not null primary key,
                action text not null
            )
        {%- endset -%}
        {%- do run_ddl(statement) -%}
        {%- do run_ddl('create table if not exists ' ~ makings() ~ ' (table_name text not null, made_from text not null)') -%}
        {%- do prepare_log() -%}
    {%- endif -%}
{%- endmacro %}
