with

profiles as (select * from {{ ref('monitor_profiles') }}),

run as (select * from {{ ref('run_config') }}),

final as (
    select
        run.run_id,
        run.cycle_start,
        profiles.table_name,
        profiles.column_name,
        profiles.kind,
        cast(profiles.hcps as integer) as hcps,
        cast(profiles.sampled_rows as integer) as sampled_rows,
        cast(profiles.unknown_rows as integer) as unknown_rows,
        profiles.bounds,
        profiles.counts
    from profiles
    cross join run
)

select * from final
