-- what this run's rules are beside those of the plan that is published while it is built; a first plan has nothing to differ from
with

run as (select * from {{ ref('run_config') }}),

runs as (
    select distinct
        run_id,
        run_number
    from {{ ref('memory__inputs_by_run') }}
),

numbered as (
    select
        run.run_id,
        run.cycle_start,
        runs.run_number,
        base.run_id as base_run_id,
        base.run_number as base_number
    from run
    inner join runs on run.run_id = runs.run_id
    inner join {{ published_run() }} as published on run.run_id <> published.run_id
    inner join runs as base on published.run_id = base.run_id
),

told as (
    select
        rules.*,
        row_number() over (partition by rules.rule_table, rules.row_hash order by rules.run_number) as first_told,
        row_number() over (partition by rules.rule_table, rules.row_hash order by rules.run_number desc) as last_told
    from {{ ref('memory__rules_by_run') }} as rules
    cross join numbered
    where rules.run_number > numbered.base_number and rules.run_number <= numbered.run_number
),

-- a row that went and came back is no change: what was told first and last of it must be the same
net as (
    select
        last.rule_table,
        last.row_hash,
        last.row_key,
        last.row_text,
        last.change,
        last.changed_by,
        row_number() over (partition by last.rule_table, last.row_key, last.change order by {{ text_order('last.row_text') }}) as place
    from told as last
    inner join told as first
        on last.rule_table = first.rule_table
        and last.row_hash = first.row_hash
        and last.change = first.change
    where last.last_told = 1 and first.first_told = 1
),

gone as (select * from net where change = 'removed'),

come as (select * from net where change = 'added'),

paired as (
    select
        coalesce(come.rule_table, gone.rule_table) as rule_table,
        coalesce(come.row_key, gone.row_key) as row_key,
        case when gone.rule_table is null then 'added' when come.rule_table is null then 'removed' else 'changed' end as change,
        gone.row_text as row_before,
        come.row_text as row_after,
        coalesce(come.changed_by, gone.changed_by) as changed_by
    from come
    full outer join gone
        on come.rule_table = gone.rule_table
        and come.row_key = gone.row_key
        and come.place = gone.place
),

final as (
    select
        numbered.run_id,
        numbered.cycle_start,
        numbered.base_run_id,
        paired.rule_table,
        paired.row_key,
        paired.change,
        paired.row_before,
        paired.row_after,
        paired.changed_by
    from paired
    cross join numbered
)

select * from final
