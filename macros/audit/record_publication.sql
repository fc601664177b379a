{#- Post-hook of `publish`, after the pointer moved and in the same transaction: the event of it, once per run. -#}
{% macro record_publication(decisions) -%}
    {%- set run = ref('run_config').render() -%}
    {{ record_event(
        'plan_published',
        "'cycle ' || " ~ date_text('decisions.cycle_start'),
        "'{\"cycle_start\": \"' || " ~ date_text('decisions.cycle_start') ~ " || '\"}'",
        decisions ~ ' as decisions inner join ' ~ run ~ " as run on decisions.run_id = run.run_id where decisions.decision = 'published'"
            ~ " and exists (select 1 from " ~ publications() ~ " as moved where moved.run_id = decisions.run_id)"
            ~ " and not exists (select 1 from " ~ audit_log() ~ " as told where told.event = 'plan_published' and told.run_id = decisions.run_id)",
        'run.run_id',
    ) }}
{%- endmacro %}
