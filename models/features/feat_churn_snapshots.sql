{#- Share of first reports that must usually be in before a period counts as known, and the longest wait for them in days: a history that
    was loaded in one go tells nothing about delays. -#}
{%- set usual_share = 0.95 -%}
{%- set longest_wait = 62 -%}
{%- set baseline_periods = 12 -%}
with

snapshots as (select * from {{ ref('feat_snapshots') }}),

periods as (select * from {{ ref('stg_periods') }}),

training_hcps as (select hcp_id from {{ ref('feat_training_hcps') }}),

run_config as (select * from {{ ref('run_config') }}),

-- a restatement is no first report
first_reports as (
    select
        kpi.hcp_id,
        kpi.period_end,
        min(kpi.known_from) as known_from
    from {{ ref('stg_kpi') }} as kpi
    inner join training_hcps on kpi.hcp_id = training_hcps.hcp_id
    group by kpi.hcp_id, kpi.period_end
),

report_days as (
    select
        period_end,
        known_from,
        count(*) as reports
    from first_reports
    group by period_end, known_from
),

delays as (
    select
        snapshots.snapshot_date,
        cast(report_days.known_from - report_days.period_end as integer) as delay,
        sum(report_days.reports) as reports
    from report_days
    inner join snapshots on report_days.known_from <= snapshots.snapshot_date
    group by snapshots.snapshot_date, cast(report_days.known_from - report_days.period_end as integer)
),

shares as (
    select
        snapshot_date,
        delay,
        sum(reports) over (partition by snapshot_date order by delay rows between unbounded preceding and current row) as reports_by_then,
        sum(reports) over (partition by snapshot_date) as all_reports
    from delays
),

-- days after the end of a period within which its KPI usually came in, as seen at the snapshot
usual_delays as (
    select
        snapshot_date,
        least(min(delay), {{ longest_wait }}) as usual_delay
    from shares
    where reports_by_then >= {{ usual_share }} * all_reports
    group by snapshot_date
),

-- the newest period that was fully known at the snapshot: what comes in later is missing and not zero
fully_known as (
    select
        snapshots.snapshot_date,
        snapshots.is_scoring,
        max(periods.period_number) as known_number
    from snapshots
    inner join usual_delays on snapshots.snapshot_date = usual_delays.snapshot_date
    inner join periods
        on cast(snapshots.snapshot_date - periods.period_end as integer) >= usual_delays.usual_delay
        and periods.period_number <= snapshots.kpi_number
    group by snapshots.snapshot_date, snapshots.is_scoring
),

known_today as (
    select max(known_number) as known_number
    from fully_known
    where is_scoring
),

-- the periods right after an earlier snapshot, where all of them are known today
horizons as (
    select
        first_period.period_start as snapshot_date,
        first_period.period_number as horizon_first,
        last_period.period_number as horizon_last,
        last_period.period_end as horizon_end
    from periods as first_period
    cross join run_config
    cross join known_today
    inner join periods as last_period
        on last_period.period_number = first_period.period_number + run_config.churn_periods - 1
        and last_period.period_number <= known_today.known_number
),

final as (
    select
        snapshots.snapshot_date,
        snapshots.is_scoring,
        fully_known.known_number - {{ baseline_periods }} + 1 as baseline_first,
        fully_known.known_number as baseline_last,
        horizons.horizon_first,
        horizons.horizon_last,
        horizons.horizon_end
    from snapshots
    left join fully_known on snapshots.snapshot_date = fully_known.snapshot_date
    left join horizons on snapshots.snapshot_date = horizons.snapshot_date
    where snapshots.is_scoring or horizons.snapshot_date is not null
)

select * from final
