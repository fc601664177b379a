-- depends_on: {{ ref('gate_inputs') }}
with

run as (select * from {{ ref('run_config') }}),

publications as (select * from {{ publications() }}),

profiles as (
    select distinct
        run_id,
        input_source
    from {{ memory('input_profiles', {'run_id': 'text', 'input_source': 'text'}) }} as kept
),

-- publications of runs that read the same inputs; a rollback makes its run the last good one again
comparable as (
    select
        publications.run_id,
        publications.cycle_start,
        publications.published_at
    from publications
    inner join profiles on publications.run_id = profiles.run_id
    inner join run on profiles.input_source = run.input_source
    where publications.run_id <> run.run_id
),

final as (
    select
        run_id,
        cycle_start
    from comparable
    where published_at = (select max(published_at) from comparable)
)

select * from final
