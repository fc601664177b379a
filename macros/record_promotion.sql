{#- Post-hook of publish, in the transaction that moves the pointer: the event model_promoted where another version scores from this run on. -#}
{% macro record_promotion(decisions) -%}
    {%- set source -%}
        (
            select
                decided.run_id,
                max(versions.model_version) as model_version,
                max(versions.model_hash) as model_hash,
                max(versions.data_hash) as data_hash,
                max(versions.code_hash) as code_hash,
                max(versions.approval) as approval,
                max(coalesce(versions.approved_by, '')) as approved_by
            from {{ decisions }} as decided
            inner join {{ ref('run_config').render() }} as run on decided.run_id = run.run_id
            inner join {{ ref('memory__model_versions').render() }} as versions on decided.run_id = versions.run_id
            where decided.decision = 'published'
                and versions.stage = 'champion'
                and versions.is_promoted
                and not exists (select 1 from {{ audit_log() }} as told where told.event = 'model_promoted' and told.run_id = decided.run_id)
            group by decided.run_id
        ) as promoted
    {%- endset -%}
    {%- set said -%}
        '{"model": "engagement", "model_hash": "' || coalesce(promoted.model_hash, '')
        || '", "data_hash": "' || coalesce(promoted.data_hash, '') || '", "code_hash": "' || coalesce(promoted.code_hash, '')
        || '", "approval": "' || coalesce(promoted.approval, '') || '", "approved_by": ' || {{ json_text('promoted.approved_by') }} || '}'
    {%- endset -%}
    {{ record_event('model_promoted', 'promoted.model_version', said, source, 'promoted.run_id') }}
{%- endmacro %}
