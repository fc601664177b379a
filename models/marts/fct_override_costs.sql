with

overrides as (select * from {{ ref('plan_overrides') }}),

hcps as (select * from {{ ref('dim_hcps') }}),

run as (select * from {{ ref('run_config') }}),

final as (
    select
        run.run_id,
        run.cycle_start,
        'all' as brand_id,
        hcps.territory_id,
        hcps.rep_id,
        overrides.hcp_id,
        overrides.channel,
        overrides.source,
        overrides.action,
        overrides.reason,
        overrides.valid_from,
        overrides.valid_to,
        overrides.created_by,
        overrides.hcps,
        overrides.cost,
        overrides.is_estimate
    from overrides
    cross join run
    left join hcps on overrides.hcp_id = hcps.hcp_id
)

select * from final
