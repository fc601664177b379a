-- depends_on: {{ ref('gate_input_quality') }}
with

given as (select * from {{ ref('base_kpi_metrics') }}),

hcps as (
    select
        hcp_id,
        row_number() over (order by hcp_id) as hcp_number
    from {{ ref('stg_hcp_master') }}
),

run_config as (select * from {{ ref('run_config') }}),

-- when a row of the period is known that does not say so itself
periods as (
    select
        periods.period_start,
        periods.period_end,
        periods.period_number,
        {{ add_periods('periods.period_end', 'run_config.kpi_known_lag', 'run_config.grain') }} as known_from
    from {{ ref('stg_periods') }} as periods
    cross join run_config
),

typed as (
    select
        cast(hcp_id as text) as hcp_id,
        cast(period_start as date) as period_start,
        cast(kpi_value as double precision) as kpi_value,
        cast(market_value as double precision) as market_value,
        cast(known_at as timestamp) as known_at,
        {{ first_day_known('known_at') }} as known_from
    from given
),

versions as (
    select
        hcps.hcp_number * 100000 + periods.period_number as cell,
        typed.hcp_id,
        typed.period_start,
        periods.period_end,
        typed.kpi_value,
        typed.market_value,
        coalesce(typed.known_from, periods.known_from) as known_from,
        coalesce(typed.known_at, cast(periods.known_from as timestamp)) as known_at
    from typed
    inner join periods on typed.period_start = periods.period_start
    inner join hcps on typed.hcp_id = hcps.hcp_id
),

-- few cells have several versions: to order them all would cost more than to find these
several as (
    select cell
    from versions
    group by cell
    having count(*) > 1
),

-- of versions of the same day all but the latest get an empty span: they hold on no day
spans as (
    select
        versions.hcp_id,
        versions.period_start,
        versions.period_end,
        versions.kpi_value,
        versions.market_value,
        versions.known_from,
        lead(versions.known_from) over (
            partition by versions.cell
            order by versions.known_at, versions.kpi_value, versions.market_value
        ) as next_known_from
    from versions
    inner join several on versions.cell = several.cell

    union all

    select
        versions.hcp_id,
        versions.period_start,
        versions.period_end,
        versions.kpi_value,
        versions.market_value,
        versions.known_from,
        cast(null as date) as next_known_from
    from versions
    left join several on versions.cell = several.cell
    where several.cell is null
),

final as (
    select
        hcp_id,
        period_start,
        period_end,
        kpi_value,
        market_value,
        known_from,
        coalesce(next_known_from, cast('9999-12-31' as date)) as known_until
    from spans
)

select * from final
