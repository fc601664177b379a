with

run_config as (select * from {{ ref('run_config') }}),

periods as (select * from {{ ref('stg_periods') }}),

hcps as (select cast(count(*) as double precision) as hcps from {{ ref('stg_hcp_master') }}),

catalog as (select channel from {{ ref('stg_catalog') }}),

engagement as (
    select
        engagement.channel,
        periods.period_number,
        sum(engagement.touches) as touches,
        sum(case when engagement.responses is not null then engagement.touches end) as answered_touches,
        sum(engagement.responses) as responses
    from {{ ref('stg_engagement') }} as engagement
    inner join periods on engagement.period_start = periods.period_start
    cross join run_config
    where engagement.known_from <= run_config.cycle_start
    group by engagement.channel, periods.period_number
),

-- the version that was known at the start of the cycle
kpi as (
    select
        periods.period_number,
        {{ exact_sum('kpi.kpi_value') }} / nullif(count(kpi.kpi_value), 0) as kpi_mean
    from {{ ref('stg_kpi') }} as kpi
    inner join periods on kpi.period_start = periods.period_start
    cross join run_config
    where kpi.known_from <= run_config.cycle_start
        and (kpi.known_until is null or kpi.known_until > run_config.cycle_start)
    group by periods.period_number
),

engagement_through as (select max(period_number) as through from engagement),

kpi_through as (select max(period_number) as through from kpi),

-- a recent cycle, and the long window before it
engagement_grid as (
    select
        catalog.channel,
        periods.period_number,
        case when periods.period_number > engagement_through.through - run_config.cycle_periods then 1 else 0 end as is_recent,
        coalesce(engagement.touches, 0) as touches,
        coalesce(engagement.answered_touches, 0) as answered_touches,
        coalesce(engagement.responses, 0) as responses
    from catalog
    cross join periods
    cross join run_config
    cross join engagement_through
    left join engagement
        on catalog.channel = engagement.channel
        and periods.period_number = engagement.period_number
    where periods.period_number <= engagement_through.through
        and periods.period_number > engagement_through.through - run_config.cycle_periods - run_config.window_long
),

final as (
    select
        'engagement' as series,
        engagement_grid.channel,
        engagement_grid.period_number,
        engagement_grid.is_recent,
        cast(engagement_grid.touches as double precision) as touches,
        cast(engagement_grid.answered_touches as double precision) as answered_touches,
        cast(engagement_grid.responses as double precision) as responses,
        engagement_grid.touches / nullif(hcps.hcps, 0) as value
    from engagement_grid
    cross join hcps

    union all

    select
        'kpi' as series,
        cast(null as text) as channel,
        kpi.period_number,
        case when kpi.period_number > kpi_through.through - run_config.cycle_periods then 1 else 0 end as is_recent,
        cast(null as double precision) as touches,
        cast(null as double precision) as answered_touches,
        cast(null as double precision) as responses,
        kpi.kpi_mean as value
    from kpi
    cross join kpi_through
    cross join run_config
    where kpi.period_number > kpi_through.through - run_config.cycle_periods - run_config.window_long
)

select * from final
