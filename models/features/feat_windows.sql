with

snapshots as (select * from {{ ref('feat_snapshots') }}),

periods as (select * from {{ ref('stg_periods') }}),

run_config as (select * from {{ ref('run_config') }}),

-- how far each period lies back from the newest one known at the snapshot: 0 is that one
distances as (
    select
        snapshots.snapshot_date,
        snapshots.is_scoring,
        periods.period_start,
        snapshots.kpi_number - periods.period_number as kpi_distance,
        snapshots.engagement_number - periods.period_number as engagement_distance,
        run_config.window_short,
        run_config.window_long
    from snapshots
    inner join periods on periods.period_start < snapshots.snapshot_date
    cross join run_config
),

final as (
    select
        snapshot_date,
        is_scoring,
        period_start,
        coalesce(kpi_distance >= 0 and kpi_distance < window_short, false) as is_kpi_short,
        coalesce(kpi_distance >= 0 and kpi_distance < window_long, false) as is_kpi_long,
        coalesce(kpi_distance >= window_long and kpi_distance < 2 * window_long, false) as is_kpi_before,
        coalesce(engagement_distance >= 0 and engagement_distance < window_short, false) as is_engagement_short,
        coalesce(engagement_distance >= 0 and engagement_distance < window_long, false) as is_engagement_long
    from distances
)

select * from final
