with

blocks as (select * from {{ ref('plan_blocks') }}),

hcps as (select * from {{ ref('dim_hcps') }}),

final as (
    select
        hcps.run_id,
        hcps.cycle_start,
        hcps.brand_id,
        hcps.territory_id,
        hcps.rep_id,
        blocks.hcp_id,
        blocks.channel,
        blocks.rule,
        blocks.detail
    from blocks
    inner join hcps on blocks.hcp_id = hcps.hcp_id
)

select * from final
