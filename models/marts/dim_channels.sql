with

catalog as (select * from {{ ref('stg_catalog') }}),

run as (select * from {{ ref('run_config') }}),

final as (
    select
        run.run_id,
        run.cycle_start,
        catalog.channel,
        catalog.label,
        catalog.channel_type,
        catalog.unit_cost,
        catalog.expected_uplift,
        catalog.uplift_basis,
        catalog.rep_minutes,
        catalog.requires_consent,
        cast(catalog.max_touches as integer) as max_touches,
        catalog.records_responses,
        catalog.rep_minutes > 0 as is_rep_channel
    from catalog
    cross join run
)

select * from final
