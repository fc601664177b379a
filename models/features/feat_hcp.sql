{#- of HCPs that nothing is learned from only the scoring snapshot is wanted, and it sees all that any earlier one does -#}
{%- set seen_from = 'case when kpi.is_training then visible.visible_from else visible.scoring_date end' %}
with

hcps as (select hcp_id from {{ ref('stg_hcp_master') }}),

training_hcps as (select hcp_id from {{ ref('feat_training_hcps') }}),

snapshots as (select * from {{ ref('feat_snapshots') }}),

windows as (select * from {{ ref('feat_windows') }} where is_kpi_long or is_kpi_before),

run_config as (select * from {{ ref('run_config') }}),

hcp_snapshots as (
    select
        hcps.hcp_id,
        snapshots.snapshot_date,
        snapshots.kpi_number
    from hcps
    left join training_hcps on hcps.hcp_id = training_hcps.hcp_id
    inner join snapshots on snapshots.is_scoring or training_hcps.hcp_id is not null
),

kpi as (
    select
        kpi.*,
        training_hcps.hcp_id is not null as is_training
    from {{ ref('stg_kpi') }} as kpi
    left join training_hcps on kpi.hcp_id = training_hcps.hcp_id
),

-- the first snapshot that sees rows of a period known on a day; every later one does too
days as (
    select distinct period_start, known_from from kpi
),

visible as (
    select
        days.period_start,
        days.known_from,
        periods.period_number,
        min(snapshots.snapshot_date) as visible_from,
        max(snapshots.snapshot_date) as scoring_date
    from days
    inner join {{ ref('stg_periods') }} as periods on days.period_start = periods.period_start
    inner join snapshots
        on days.known_from <= snapshots.snapshot_date
        and days.period_start < snapshots.snapshot_date
    group by days.period_start, days.known_from, periods.period_number
),

newly_visible as (
    select
        kpi.hcp_id,
        kpi.is_training,
        {{ seen_from }} as visible_from,
        min(visible.period_number) as first_number
    from kpi
    inner join visible
        on kpi.period_start = visible.period_start
        and kpi.known_from = visible.known_from
    group by kpi.hcp_id, kpi.is_training, {{ seen_from }}
),

-- from its first row on, a period without a row is a period without KPI
first_rows as (
    select
        newly_visible.hcp_id,
        snapshots.snapshot_date,
        min(newly_visible.first_number) as first_number
    from newly_visible
    inner join snapshots
        on newly_visible.visible_from <= snapshots.snapshot_date
        and (snapshots.is_scoring or newly_visible.is_training)
    group by newly_visible.hcp_id, snapshots.snapshot_date
),

sums as (
    select
        kpi.hcp_id,
        windows.snapshot_date,
        sum(case when windows.is_kpi_short then kpi.kpi_value end) as kpi_short,
        sum(case when windows.is_kpi_long then kpi.kpi_value end) as kpi_long,
        sum(case when windows.is_kpi_before then kpi.kpi_value end) as kpi_before,
        sum(case when windows.is_kpi_short then 1 else 0 end) as rows_short,
        sum(case when windows.is_kpi_long then 1 else 0 end) as rows_long,
        sum(case when windows.is_kpi_before then 1 else 0 end) as rows_before,
        sum(case when windows.is_kpi_short and kpi.kpi_value is null then 1 else 0 end) as unknown_short,
        sum(case when windows.is_kpi_long and kpi.kpi_value is null then 1 else 0 end) as unknown_long,
        sum(case when windows.is_kpi_before and kpi.kpi_value is null then 1 else 0 end) as unknown_before,
        sum(case when windows.is_kpi_long then kpi.market_value end) as market_long,
        sum(case when windows.is_kpi_long and kpi.market_value is not null then 1 else 0 end) as market_rows_long,
        -- a share is taken over the periods in which both sides are known
        sum(case when windows.is_kpi_short and kpi.market_value is not null then kpi.kpi_value end) as share_kpi_short,
        sum(case when windows.is_kpi_long and kpi.market_value is not null then kpi.kpi_value end) as share_kpi_long,
        sum(case when windows.is_kpi_short and kpi.kpi_value is not null then kpi.market_value end) as share_market_short,
        sum(case when windows.is_kpi_long and kpi.kpi_value is not null then kpi.market_value end) as share_market_long
    from kpi
    inner join windows
        on kpi.period_start = windows.period_start
        and kpi.known_from <= windows.snapshot_date
        and kpi.known_until > windows.snapshot_date
        and (windows.is_scoring or kpi.is_training)
    group by kpi.hcp_id, windows.snapshot_date
),

-- periods of each window from the HCP's first row on; none before it
spans as (
    select
        hcp_snapshots.hcp_id,
        hcp_snapshots.snapshot_date,
        hcp_snapshots.kpi_number - first_rows.first_number + 1 as periods_since_first,
        run_config.window_short,
        run_config.window_long,
        run_config.kpi_absent
    from hcp_snapshots
    left join first_rows
        on hcp_snapshots.hcp_id = first_rows.hcp_id
        and hcp_snapshots.snapshot_date = first_rows.snapshot_date
    cross join run_config
),

known as (
    select
        spans.hcp_id,
        spans.snapshot_date,
        case
            when spans.kpi_absent = 'unknown' or spans.periods_since_first is null then coalesce(sums.rows_short, 0)
            when spans.periods_since_first > spans.window_short then spans.window_short
            else spans.periods_since_first
        end - coalesce(sums.unknown_short, 0) as known_short,
        case
            when spans.kpi_absent = 'unknown' or spans.periods_since_first is null then coalesce(sums.rows_long, 0)
            when spans.periods_since_first > spans.window_long then spans.window_long
            else spans.periods_since_first
        end - coalesce(sums.unknown_long, 0) as known_long,
        case
            when spans.kpi_absent = 'unknown' or spans.periods_since_first is null then coalesce(sums.rows_before, 0)
            when spans.periods_since_first > 2 * spans.window_long then spans.window_long
            when spans.periods_since_first > spans.window_long then spans.periods_since_first - spans.window_long
            else 0
        end - coalesce(sums.unknown_before, 0) as known_before,
        coalesce(sums.kpi_short, 0) as kpi_short,
        coalesce(sums.kpi_long, 0) as kpi_long,
        coalesce(sums.kpi_before, 0) as kpi_before,
        sums.market_long,
        sums.market_rows_long,
        sums.share_kpi_short,
        sums.share_kpi_long,
        sums.share_market_short,
        sums.share_market_long
    from spans
    left join sums
        on spans.hcp_id = sums.hcp_id
        and spans.snapshot_date = sums.snapshot_date
),

means as (
    select
        hcp_id,
        snapshot_date,
        known_long,
        {{ ratio('kpi_short', 'known_short') }} as kpi_mean_short,
        {{ ratio('kpi_long', 'known_long') }} as kpi_mean_long,
        {{ ratio('kpi_before', 'known_before') }} as kpi_mean_before,
        {{ ratio('market_long', 'market_rows_long') }} as market_mean_long,
        {{ ratio('share_kpi_short', 'share_market_short') }} as market_share_short,
        {{ ratio('share_kpi_long', 'share_market_long') }} as market_share_long
    from known
),

all_channels as (
    select
        hcp_id,
        snapshot_date,
        sum(touches_short) as touches_short,
        sum(touches_long) as touches_long,
        {{ ratio('sum(responses_long)', 'sum(answered_touches_long)') }} as response_rate_long,
        max(last_touch_end) as last_touch_end
    from {{ ref('feat_hcp_channel') }}
    group by hcp_id, snapshot_date
),

final as (
    select
        means.hcp_id,
        means.snapshot_date,
        cast(coalesce(all_channels.touches_short, 0) as integer) as all_touches_short,
        cast(coalesce(all_channels.touches_long, 0) as integer) as all_touches_long,
        all_channels.response_rate_long as all_response_rate_long,
        cast(means.snapshot_date - all_channels.last_touch_end + 1 as integer) as days_since_any_touch,
        means.kpi_mean_short,
        means.kpi_mean_long,
        {{ difference('means.kpi_mean_short', 'means.kpi_mean_long') }} as kpi_trend,
        {{ difference('means.kpi_mean_long', 'means.kpi_mean_before') }} as kpi_change,
        cast(means.known_long as integer) as kpi_known_periods,
        means.market_mean_long,
        means.market_share_long,
        {{ difference('means.market_share_short', 'means.market_share_long') }} as market_share_trend
    from means
    left join all_channels
        on means.hcp_id = all_channels.hcp_id
        and means.snapshot_date = all_channels.snapshot_date
)

select * from final
