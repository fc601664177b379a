{#- The statement that appends one event to the log, in the transaction of whoever runs it (a hook). `event` is a word; `subject` and
    `details` are SQL expressions of text, details being JSON; `source` is what follows `from`: no row, no event, and never more than
    one row. `run_id` is a SQL expression, by default the run of this build. Models that record in their hooks must come one after
    another: on DuckDB two at once meet on the key of the sequence, and one of them fails. -#}
{% macro record_event(event, subject, details, source='', run_id='') -%}
    {%- set config = room_relation('checks', 'run_config') -%}
    {{ hold_log() }}insert into {{ audit_log() }} (sequence, recorded_at, recorded_by, event, run_id, subject, details, previous_hash, hash)
    with given as (
        select
            {{ run_id or '(select max(run_id) from ' ~ config ~ ')' }} as run_id,
            {{ subject }} as subject,
            {{ details }} as details
        {{ 'from ' ~ source if source }}
    ),

    numbered as (
        select
            coalesce((select max(sequence) from {{ audit_log() }}), 0) + 1 as sequence,
            {{ utc_now() }} as recorded_at,
            {{ acting_user() }} as recorded_by,
            {{ text_literal(event) }} as event,
            given.run_id,
            given.subject,
            given.details,
            coalesce((select max(hash) from {{ audit_log() }} where sequence = (select max(sequence) from {{ audit_log() }})), '') as previous_hash
        from given
    )

    select
        sequence,
        recorded_at,
        recorded_by,
        event,
        run_id,
        subject,
        details,
        previous_hash,
        {{ sha256_text(
            ["cast(sequence as text)", moment_text('recorded_at'), log_field('recorded_by'), log_field('event'), log_field('run_id'),
             log_field('subject'), log_field('details'), 'previous_hash'] | join(" || chr(10) || ")
        ) }}
    from numbered
{%- endmacro %}
