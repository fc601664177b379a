{#- On-run-start, after the schema of memory is there: the log, the table of hashes that hooks fill, and the first event of this run. -#}
{% macro prepare_log() -%}
    {%- set statement -%}
        create table if not exists {{ audit_log() }} (
            sequence bigint not null primary key,
            recorded_at timestamp not null,
            recorded_by text not null,
            event text not null,
            run_id text,
            subject text,
            details text,
            previous_hash text not null,
            hash text not null
        )
    {%- endset -%}
    {%- do run_ddl(statement) -%}
    {%- set statement -%}
        create table if not exists {{ content_hashes() }} (
            run_id text not null,
            table_name text not null,
            row_count bigint not null,
            content_hash text not null
        )
    {%- endset -%}
    {%- do run_ddl(statement) -%}
    {%- for statement in adapter.dispatch('append_only', 'nba')(audit_log()) -%}
        {%- do run_ddl(statement) -%}
    {%- endfor -%}
    {%- do run_ddl(record_event('run_started', text_literal(flags.WHICH), run_started_details(), run_id=text_literal(invocation_id))) -%}
{%- endmacro %}

{#- No engine of one writer stops that writer: the chain of hashes shows what was changed. -#}
{% macro default__append_only(relation) -%}
    {{ return([]) }}
{%- endmacro %}

{#- Also the owner is refused; who drops the trigger first leaves a chain that does not hold. -#}
{% macro postgres__append_only(relation) -%}
    {%- set refuse = relation.include(identifier=false) ~ '.refuse_change' -%}
    {%- set there = run_query("select 1 from pg_trigger where tgname = 'nba_append_only' and tgrelid = " ~ text_literal(relation.include(database=false)) ~ "::regclass").rows -%}
    {%- if there -%}
        {{ return([]) }}
    {%- endif -%}
    {{ return([
        'create or replace function ' ~ relation.include(database=false, identifier=false) ~ ".refuse_change() returns trigger language plpgsql as $$ begin raise exception 'the audit log is append-only: % is refused', tg_op; end $$",
        'create trigger nba_append_only before update or delete or truncate on ' ~ relation.include(database=false) ~ ' for each statement execute function ' ~ relation.include(database=false, identifier=false) ~ '.refuse_change()',
    ]) }}
{%- endmacro %}
