with

hcps as (select * from {{ ref('dim_hcps') }}),

rejections as (select * from {{ ref('fct_rejections') }}),

recommendations as (select * from {{ ref('fct_recommendations') }}),

ranked as (
    select
        *,
        rank() over (order by kpi_level desc) as kpi_rank,
        count(*) over () as ranked_hcps
    from hcps
    where kpi_level is not null
),

-- the highest tenth of the HCPs, those that share the last place included
high_value as (
    select *
    from ranked
    where kpi_level > 0 and kpi_rank <= ceil(0.1 * ranked_hcps)
),

-- the channel that came closest: allowed before blocked, then by what it would bring
closest as (
    select
        *,
        row_number() over (
            partition by hcp_id
            order by
                case when reason_kind in ('rule', 'holdout') then 1 else 0 end,
                coalesce(expected_impact, 0) desc,
                {{ text_order('channel') }}
        ) as closeness
    from rejections
),

reached as (
    select distinct hcp_id
    from recommendations
),

final as (
    select
        high_value.run_id,
        high_value.cycle_start,
        high_value.brand_id,
        high_value.territory_id,
        high_value.rep_id,
        high_value.hcp_id,
        high_value.kpi_level,
        cast(high_value.kpi_rank as integer) as kpi_rank,
        closest.channel as best_channel,
        closest.expected_impact as best_expected_impact,
        closest.reason_kind,
        closest.rule,
        closest.limit_id,
        closest.limit_label,
        closest.value_short,
        closest.reason
    from high_value
    left join closest on high_value.hcp_id = closest.hcp_id and closest.closeness = 1
    left join reached on high_value.hcp_id = reached.hcp_id
    where reached.hcp_id is null
)

select * from final
