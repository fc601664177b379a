with

hcps as (select * from {{ ref('stg_hcp_master') }}),

run as (select * from {{ ref('run_config') }}),

kpi as (
    select distinct known.hcp_id
    from {{ ref('stg_kpi') }} as known
    cross join run
    where known.kpi_value is not null and known.known_from <= run.cycle_start and known.known_until > run.cycle_start
),

touched as (
    select distinct known.hcp_id
    from {{ ref('stg_engagement') }} as known
    cross join run
    where known.touches > 0 and known.known_from <= run.cycle_start
),

-- a manager's pin that touches the cycle wins over any arm
pinned as (
    select distinct overrides.hcp_id
    from {{ ref('stg_rule_override') }} as overrides
    cross join run
    where overrides.action = 'pin'
        and (overrides.valid_from is null or overrides.valid_from < run.cycle_end)
        and (overrides.valid_to is null or overrides.valid_to >= run.cycle_start)
),

final as (
    select
        hcps.hcp_id,
        hcps.territory_id,
        hcps.decile,
        hcps.hco_id,
        kpi.hcp_id is null and touched.hcp_id is null as is_cold,
        pinned.hcp_id is not null as is_pinned
    from hcps
    left join kpi on hcps.hcp_id = kpi.hcp_id
    left join touched on hcps.hcp_id = touched.hcp_id
    left join pinned on hcps.hcp_id = pinned.hcp_id
)

select * from final
