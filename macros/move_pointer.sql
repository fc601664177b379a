{#- Post-hook of `publish`: one row in the log makes the whole run visible, in the transaction of the model and at most once per run. -#}
{% macro move_pointer(decisions) -%}
    insert into {{ publications() }} (run_id, cycle_start, published_at, action)
    select
        decisions.run_id,
        decisions.cycle_start,
        -- the newest row is the pointer: a clock that was set back must not hide it
        greatest({{ utc_now() }}, (select coalesce(max(published_at), {{ utc_now() }}) from {{ publications() }}) + interval '1 microsecond'),
        'publish'
    from {{ decisions }} as decisions
    inner join {{ ref('run_config').render() }} as run on decisions.run_id = run.run_id
    where decisions.decision = 'published'
        and not exists (select 1 from {{ publications() }} as earlier where earlier.run_id = decisions.run_id)
{%- endmacro %}
