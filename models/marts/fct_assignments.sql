with

hcps as (select * from {{ ref('dim_hcps') }}),

draw as (select * from {{ ref('draw_arms') }}),

shadows as (select * from {{ ref('plan_shadows') }}),

final as (
    select
        hcps.run_id,
        hcps.cycle_start,
        hcps.brand_id,
        hcps.territory_id,
        hcps.rep_id,
        hcps.hcp_id,
        draw.arm,
        draw.arm_probability,
        draw.stratum,
        shadows.channel as shadow_channel,
        draw.unit_id,
        draw.drawn_cycle,
        draw.draw_design
    from hcps
    inner join draw on hcps.hcp_id = draw.hcp_id
    left join shadows on hcps.hcp_id = shadows.hcp_id
)

select * from final
