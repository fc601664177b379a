with

snapshots as (select * from {{ ref('feat_snapshots') }}),

windows as (select * from {{ ref('feat_windows') }} where is_engagement_long),

catalog as (select channel from {{ ref('stg_catalog') }}),

-- all HCPs together: few rows are left to look at for each snapshot
totals as (
    select
        channel,
        period_start,
        known_from,
        sum(touches) as touches,
        sum(responses) as responses
    from {{ ref('stg_engagement') }}
    where responses is not null
    group by channel, period_start, known_from
),

rates as (
    select
        totals.channel,
        windows.snapshot_date,
        {{ ratio('sum(totals.responses)', 'sum(totals.touches)') }} as channel_response_rate
    from totals
    inner join windows
        on totals.period_start = windows.period_start
        and totals.known_from <= windows.snapshot_date
    group by totals.channel, windows.snapshot_date
),

-- channels of which a response count, even 0, was known by then
recording as (
    select distinct
        totals.channel,
        snapshots.snapshot_date
    from totals
    inner join snapshots
        on totals.known_from <= snapshots.snapshot_date
        and totals.period_start < snapshots.snapshot_date
),

final as (
    select
        catalog.channel,
        snapshots.snapshot_date,
        recording.channel is not null as is_recording,
        rates.channel_response_rate
    from catalog
    cross join snapshots
    left join recording
        on catalog.channel = recording.channel
        and snapshots.snapshot_date = recording.snapshot_date
    left join rates
        on catalog.channel = rates.channel
        and snapshots.snapshot_date = rates.snapshot_date
)

select * from final
