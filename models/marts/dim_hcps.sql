with

hcps as (select * from {{ ref('stg_hcp_master') }}),

scoring as (select * from {{ ref('feat_scoring') }}),

run as (select * from {{ ref('run_config') }}),

-- the KPI of an HCP stands on each of its pairs
kpi as (
    select
        hcp_id,
        max(segment) as segment,
        max(kpi_level) as kpi_level,
        max(kpi_trend) as kpi_trend,
        max(kpi_periods) as kpi_periods
    from scoring
    group by hcp_id
),

final as (
    select
        run.run_id,
        run.cycle_start,
        'all' as brand_id,
        coalesce(hcps.territory_id, 'unassigned') as territory_id,
        hcps.rep_id,
        hcps.hcp_id,
        hcps.npi,
        hcps.full_name,
        hcps.specialty,
        hcps.practice_type,
        hcps.hco_id,
        hcps.decile,
        hcps.rep_access,
        hcps.crm_account_id,
        {{ json_object(hcp_attributes(), 'hcps') }} as attributes,
        coalesce(kpi.segment, '') as segment,
        kpi.kpi_level,
        kpi.kpi_trend,
        case
            when kpi.kpi_level is null or kpi.kpi_trend is null then null
            when kpi.kpi_trend > 0.1 * abs(kpi.kpi_level) then 'up'
            when kpi.kpi_trend < -0.1 * abs(kpi.kpi_level) then 'down'
            else 'flat'
        end as kpi_direction,
        cast(coalesce(kpi.kpi_periods, 0) as integer) as kpi_periods
    from hcps
    cross join run
    left join kpi on hcps.hcp_id = kpi.hcp_id
)

select * from final
