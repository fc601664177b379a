with

runs as (select * from {{ ref('stg_prior_runs') }}),

models as (select * from {{ ref('stg_prior_models') }}),

profiles as (
    select *
    from {{ memory('profiles', {
        'run_id': 'text', 'table_name': 'text', 'column_name': 'text', 'kind': 'text', 'hcps': 'integer', 'unknown_rows': 'integer',
        'bounds': 'text', 'counts': 'text'
    }) }} as profiles
),

-- the run that fitted the champion of the last cycle, else that cycle's run: drift that is slow adds up against the first
candidates as (
    select
        fitted_run_id as run_id,
        1 as preference
    from models
    where role = 'champion'

    union all

    select
        run_id,
        2 as preference
    from runs
    where cycles_back = 1
),

chosen as (
    select
        candidates.run_id,
        row_number() over (order by candidates.preference) as place
    from candidates
    where exists (select 1 from profiles where profiles.run_id = candidates.run_id)
        and exists (select 1 from runs where runs.cycles_back = 1)
),

final as (
    select profiles.*
    from profiles
    inner join chosen on profiles.run_id = chosen.run_id
    where chosen.place = 1
)

select * from final
