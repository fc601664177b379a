with

explore as (select * from {{ ref('plan_explore') }}),

hcps as (select * from {{ ref('dim_hcps') }}),

final as (
    select
        hcps.run_id,
        hcps.cycle_start,
        hcps.brand_id,
        hcps.territory_id,
        hcps.rep_id,
        explore.hcp_id,
        explore.channel,
        explore.propensity,
        explore.is_drawn,
        explore.propensity_kind
    from explore
    inner join hcps on explore.hcp_id = hcps.hcp_id
)

select * from final
