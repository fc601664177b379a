with

this_run as (select * from {{ ref('memory__inputs_by_run') }} where run_id in (select run_id from {{ ref('run_config') }})),

numbered as (select max(run_number) as run_number from this_run),

run_before as (
    select *
    from {{ ref('memory__inputs_by_run') }}
    where run_number = (
        select max(earlier.run_number)
        from {{ ref('memory__inputs_by_run') }} as earlier
        where earlier.run_number < (select numbered.run_number from numbered)
    )
),

-- rows of tables that are as they were are neither read nor hashed: a million consents that stay cost nothing
changed as (
    select this_run.table_name
    from this_run
    left join run_before on this_run.table_name = run_before.table_name
    where run_before.content_hash is null or this_run.content_hash <> run_before.content_hash
),

given as (
    {%- for name in rule_keys() %}
    select * from ({{ rule_rows(name, ref('base_' ~ name)) }}) as {{ name }}
    where rule_table in (select changed.table_name from changed)
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

now as (
    select
        rule_table,
        {{ sha256_text('row_text') }} as row_hash,
        row_key,
        row_text,
        max(created_by) as created_by
    from given
    group by rule_table, row_key, row_text
),

before as (
    select *
    from {{ rules_held('(select numbered.run_number - 1 from numbered)', 'kept.rule_table in (select changed.table_name from changed)') }} as held
),

-- who loaded a table with `nba load` since the run before, the latest of them
loads as (
    select
        changed.table_name,
        max(log.sequence) as sequence
    from changed
    inner join {{ audit_log() }} as log
        on log.event = 'inputs_loaded'
        and log.subject = {{ text_literal(var('rule_schema', '') or var('input_schema', 'sample')) }}
        and log.details like '%"' || changed.table_name || '":%'
        and log.sequence > coalesce((
            select max(started.sequence)
            from {{ audit_log() }} as started
            where started.event = 'inputs_fingerprinted' and started.run_id = (select max(run_before.run_id) from run_before)
        ), 0)
    group by changed.table_name
),

loaders as (
    select
        loads.table_name,
        log.recorded_by
    from loads
    inner join {{ audit_log() }} as log on loads.sequence = log.sequence
),

differences as (
    select
        now.rule_table,
        now.row_hash,
        now.row_key,
        now.row_text,
        'added' as change,
        now.created_by
    from now
    left join before on now.rule_table = before.rule_table and now.row_hash = before.row_hash
    where before.row_hash is null

    union all

    select
        before.rule_table,
        before.row_hash,
        before.row_key,
        before.row_text,
        'removed' as change,
        cast(null as text) as created_by
    from before
    left join now on before.rule_table = now.rule_table and before.row_hash = now.row_hash
    where now.row_hash is null
),

final as (
    select
        run.run_id,
        run.cycle_start,
        numbered.run_number,
        differences.rule_table,
        differences.row_hash,
        differences.row_key,
        differences.row_text,
        differences.change,
        coalesce(differences.created_by, loaders.recorded_by, {{ acting_user() }}) as changed_by
    from differences
    cross join {{ ref('run_config') }} as run
    cross join numbered
    left join loaders on differences.rule_table = loaders.table_name
)

select * from final
