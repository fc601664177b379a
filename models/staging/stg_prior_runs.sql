-- depends_on: {{ ref('gate_input_quality') }}
with

publications as (
    select *
    from {{ memory('publications', {'run_id': 'text', 'cycle_start': 'date', 'action': 'text', 'published_at': 'timestamp'}) }} as publications
),

plans as (
    select *
    from {{ memory('plan_summary', {'run_id': 'text', 'cycle_start': 'date', 'cycle_end': 'date'}) }} as plans
),

-- runs on inputs of another schema say nothing about these
same_inputs as (
    select distinct
        run_id,
        input_source
    from {{ memory('model_versions', {'run_id': 'text', 'input_source': 'text'}) }} as versions
),

run_config as (select * from {{ ref('run_config') }}),

-- the last row of each cycle says which run holds there
latest as (
    select
        publications.*,
        row_number() over (partition by cycle_start order by published_at desc) as recency
    from publications
),

-- going back to an earlier cycle takes back what was published for later ones before
holding as (
    select
        plans.run_id,
        plans.cycle_start,
        plans.cycle_end,
        plans.cycle_start = run_config.cycle_start as is_same_cycle
    from latest
    inner join plans on latest.run_id = plans.run_id
    cross join run_config
    inner join same_inputs
        on plans.run_id = same_inputs.run_id
        and run_config.input_source = same_inputs.input_source
    where latest.recency = 1
        and latest.cycle_start <= run_config.cycle_start
        and not exists (
            select 1
            from publications
            where publications.action = 'rollback'
                and publications.published_at > latest.published_at
                and publications.cycle_start < latest.cycle_start
        )
),

final as (
    select
        run_id,
        cycle_start,
        cycle_end,
        case
            when is_same_cycle then 0
            else row_number() over (partition by is_same_cycle order by cycle_start desc)
        end as cycles_back
    from holding
)

select * from final
