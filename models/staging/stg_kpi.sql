-- depends_on: {{ ref('gate_input_quality') }}
with

given as (select * from {{ ref('base_kpi_metrics') }}),

hcps as (select hcp_id from {{ ref('stg_hcp_master') }}),

run_config as (select * from {{ ref('run_config') }}),

-- when a row of the period is known that does not say so itself
periods as (
    select
        periods.period_start,
        periods.period_end,
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

-- of versions of the same day all but the latest get an empty span: they hold on no day
spans as (
    select
        versions.*,
        lead(known_from) over (
            partition by hcp_id, period_start
            order by known_at, kpi_value, market_value
        ) as next_known_from
    from versions
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
