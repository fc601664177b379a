{#- Post-hook of `publish`, after the pointer moved and in the same transaction: the event of it, once per run, with the hash of every
    published table and the hash of these hashes. -#}
{% macro record_publication(decisions) -%}
    {%- set source -%}
        (
            select
                decided.run_id,
                max({{ date_text('decided.cycle_start') }}) as cycle_text,
                {{ sha256_text("coalesce(" ~ joined_text("hashes.table_name || ' ' || cast(hashes.row_count as text) || ' ' || hashes.content_hash", '|', 'hashes.table_name') ~ ", '')") }} as plan_hash,
                coalesce({{ joined_text("'\"' || hashes.table_name || '\": \"' || hashes.content_hash || '\"'", ', ', 'hashes.table_name') }}, '') as table_hashes
            from {{ decisions }} as decided
            inner join {{ ref('run_config').render() }} as run on decided.run_id = run.run_id
            left join {{ content_hashes() }} as hashes on decided.run_id = hashes.run_id and hashes.table_name in ({{ published_names() }})
            where decided.decision = 'published'
                and exists (select 1 from {{ publications() }} as moved where moved.run_id = decided.run_id)
                and not exists (select 1 from {{ audit_log() }} as told where told.event = 'plan_published' and told.run_id = decided.run_id)
            group by decided.run_id
        ) as decisions
    {%- endset -%}
    {%- set said = "'{\"cycle_start\": \"' || decisions.cycle_text || '\", \"plan_hash\": \"' || decisions.plan_hash || '\", \"tables\": {' || decisions.table_hashes || '}}'" -%}
    {{ record_event('plan_published', "'cycle ' || decisions.cycle_text", said, source, 'decisions.run_id') }}
{%- endmacro %}
