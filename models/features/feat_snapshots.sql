with

periods as (select * from {{ ref('stg_periods') }}),

run_config as (select * from {{ ref('run_config') }}),

-- what came to be known on which day, once
engagement_days as (
    select distinct period_start, known_from from {{ ref('stg_engagement') }}
),

kpi_days as (
    select distinct period_start, known_from from {{ ref('stg_kpi') }}
),

last_number as (
    select coalesce(max(period_number), 0) as last_number from periods
),

-- starts of earlier cycles, counted back from the cycle to plan
starts as (
    select
        periods.period_number,
        periods.period_start as snapshot_date,
        cast((last_number.last_number + 1 - periods.period_number) / run_config.cycle_periods as integer) as cycles_back
    from periods
    cross join last_number
    cross join run_config
    where mod(last_number.last_number + 1 - periods.period_number, run_config.cycle_periods) = 0
        and last_number.last_number + 1 - periods.period_number <= run_config.snapshots * run_config.cycle_periods
),

engagement_end as (
    select max(engagement_days.period_start) as engagement_through
    from engagement_days
    cross join run_config
    where engagement_days.known_from <= run_config.cycle_start
),

-- earlier cycles whose last period has come in: of the others nobody knows the outcome yet
known_outcomes as (
    select
        starts.period_number,
        starts.snapshot_date,
        starts.cycles_back,
        last_period.period_end as outcome_end,
        min(starts.cycles_back) over () as newest_cycles_back
    from starts
    cross join run_config
    cross join engagement_end
    inner join periods as last_period
        on last_period.period_number = starts.period_number + run_config.cycle_periods - 1
    where last_period.period_start <= engagement_end.engagement_through
),

-- a short window of history must lie before a training snapshot; the newest one may have less
snapshots as (
    select
        known_outcomes.snapshot_date,
        known_outcomes.outcome_end,
        false as is_scoring
    from known_outcomes
    cross join run_config
    where known_outcomes.period_number - 1 >= run_config.window_short
        or (known_outcomes.cycles_back = known_outcomes.newest_cycles_back and known_outcomes.period_number > 1)

    union all

    select
        cycle_start as snapshot_date,
        cycle_end as outcome_end,
        true as is_scoring
    from run_config
),

kpi_through as (
    select
        snapshots.snapshot_date,
        max(kpi_days.period_start) as kpi_through
    from snapshots
    inner join kpi_days
        on kpi_days.known_from <= snapshots.snapshot_date
        and kpi_days.period_start < snapshots.snapshot_date
    group by snapshots.snapshot_date
),

engagement_through as (
    select
        snapshots.snapshot_date,
        max(engagement_days.period_start) as engagement_through
    from snapshots
    inner join engagement_days
        on engagement_days.known_from <= snapshots.snapshot_date
        and engagement_days.period_start < snapshots.snapshot_date
    group by snapshots.snapshot_date
),

final as (
    select
        snapshots.snapshot_date,
        snapshots.outcome_end,
        snapshots.is_scoring,
        kpi_through.kpi_through,
        engagement_through.engagement_through,
        kpi_periods.period_number as kpi_number,
        engagement_periods.period_number as engagement_number
    from snapshots
    left join kpi_through on snapshots.snapshot_date = kpi_through.snapshot_date
    left join engagement_through on snapshots.snapshot_date = engagement_through.snapshot_date
    left join periods as kpi_periods on kpi_through.kpi_through = kpi_periods.period_start
    left join periods as engagement_periods on engagement_through.engagement_through = engagement_periods.period_start
)

select * from final
