{#- of HCPs that nothing is learned from only the scoring snapshot is wanted, and it sees all that any earlier one does -#}
{%- set seen_from = 'case when touches.is_training then visible.visible_from else visible.scoring_date end' %}
with

snapshots as (select * from {{ ref('feat_snapshots') }}),

windows as (select * from {{ ref('feat_windows') }} where is_engagement_long),

training_hcps as (select hcp_id from {{ ref('feat_training_hcps') }}),

touches as (
    select
        engagement.hcp_id,
        engagement.channel,
        engagement.period_start,
        engagement.period_end,
        engagement.touches,
        engagement.responses,
        engagement.known_from,
        training_hcps.hcp_id is not null as is_training
    from {{ ref('stg_engagement') }} as engagement
    left join training_hcps on engagement.hcp_id = training_hcps.hcp_id
    where engagement.touches > 0
),

-- increments of one cell are one active period: the one known first stands for it
summed as (
    select
        touches.*,
        row_number() over (
            partition by touches.hcp_id, touches.channel, touches.period_start
            order by touches.known_from
        ) as increment_number
    from touches
    where touches.is_training
        or touches.period_start in (select windows.period_start from windows where windows.is_scoring)
),

-- the first snapshot that sees rows of a period known on a day; every later one does too
days as (
    select distinct period_start, known_from from touches
),

visible as (
    select
        days.period_start,
        days.known_from,
        min(snapshots.snapshot_date) as visible_from,
        max(snapshots.snapshot_date) as scoring_date
    from days
    inner join snapshots
        on days.known_from <= snapshots.snapshot_date
        and days.period_start < snapshots.snapshot_date
    group by days.period_start, days.known_from
),

newly_visible as (
    select
        touches.hcp_id,
        touches.channel,
        touches.is_training,
        {{ seen_from }} as visible_from,
        max(touches.period_end) as last_touch_end,
        max(case when touches.responses > 0 then touches.period_end end) as last_response_end
    from touches
    inner join visible
        on touches.period_start = visible.period_start
        and touches.known_from = visible.known_from
    group by touches.hcp_id, touches.channel, touches.is_training, {{ seen_from }}
),

last_touches as (
    select
        newly_visible.hcp_id,
        newly_visible.channel,
        snapshots.snapshot_date,
        max(newly_visible.last_touch_end) as last_touch_end,
        max(newly_visible.last_response_end) as last_response_end
    from newly_visible
    inner join snapshots
        on newly_visible.visible_from <= snapshots.snapshot_date
        and (snapshots.is_scoring or newly_visible.is_training)
    group by newly_visible.hcp_id, newly_visible.channel, snapshots.snapshot_date
),

sums as (
    select
        summed.hcp_id,
        summed.channel,
        windows.snapshot_date,
        sum(case when windows.is_engagement_short then summed.touches end) as touches_short,
        sum(summed.touches) as touches_long,
        sum(case when summed.increment_number = 1 then 1 end) as active_periods_long,
        sum(case when windows.is_engagement_short and summed.responses is not null then summed.touches end) as answered_touches_short,
        sum(case when summed.responses is not null then summed.touches end) as answered_touches_long,
        sum(case when windows.is_engagement_short then summed.responses end) as responses_short,
        sum(summed.responses) as responses_long
    from summed
    inner join windows
        on summed.period_start = windows.period_start
        and summed.known_from <= windows.snapshot_date
        and (windows.is_scoring or summed.is_training)
    group by summed.hcp_id, summed.channel, windows.snapshot_date
),

final as (
    select
        last_touches.hcp_id,
        last_touches.channel,
        last_touches.snapshot_date,
        cast(coalesce(sums.touches_short, 0) as integer) as touches_short,
        cast(coalesce(sums.touches_long, 0) as integer) as touches_long,
        cast(coalesce(sums.active_periods_long, 0) as integer) as active_periods_long,
        cast(coalesce(sums.answered_touches_short, 0) as integer) as answered_touches_short,
        cast(coalesce(sums.answered_touches_long, 0) as integer) as answered_touches_long,
        cast(coalesce(sums.responses_short, 0) as integer) as responses_short,
        cast(coalesce(sums.responses_long, 0) as integer) as responses_long,
        last_touches.last_touch_end,
        last_touches.last_response_end
    from last_touches
    left join sums
        on last_touches.hcp_id = sums.hcp_id
        and last_touches.channel = sums.channel
        and last_touches.snapshot_date = sums.snapshot_date
)

select * from final
