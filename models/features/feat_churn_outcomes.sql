{#- Known periods that a baseline needs to be one, of the 12 at most; and the one-sided 5% point of the normal distribution. -#}
{%- set least_periods = 6 -%}
{%- set normal_point = 1.6448536269514722 -%}
with

hcps as (select hcp_id from {{ ref('stg_hcp_master') }}),

training_hcps as (select hcp_id from {{ ref('feat_training_hcps') }}),

snapshots as (select * from {{ ref('feat_churn_snapshots') }}),

periods as (select * from {{ ref('stg_periods') }}),

run_config as (select * from {{ ref('run_config') }}),

kpi as (
    select
        kpi.*,
        training_hcps.hcp_id is not null as is_training
    from {{ ref('stg_kpi') }} as kpi
    left join training_hcps on kpi.hcp_id = training_hcps.hcp_id
),

hcp_snapshots as (
    select
        hcps.hcp_id,
        snapshots.*
    from hcps
    left join training_hcps on hcps.hcp_id = training_hcps.hcp_id
    inner join snapshots on snapshots.is_scoring or training_hcps.hcp_id is not null
),

-- the baseline as it was known at the snapshot, the outcome as it is known today
windows as (
    select
        snapshots.snapshot_date,
        snapshots.is_scoring,
        snapshots.snapshot_date as as_of,
        periods.period_start,
        true as is_baseline
    from snapshots
    inner join periods on periods.period_number between snapshots.baseline_first and snapshots.baseline_last

    union all

    select
        snapshots.snapshot_date,
        snapshots.is_scoring,
        run_config.cycle_start as as_of,
        periods.period_start,
        false as is_baseline
    from snapshots
    cross join run_config
    inner join periods on periods.period_number between snapshots.horizon_first and snapshots.horizon_last
    where not snapshots.is_scoring
),

sums as (
    select
        kpi.hcp_id,
        windows.snapshot_date,
        sum(case when windows.is_baseline then kpi.kpi_value end) as baseline_sum,
        sum(case when windows.is_baseline then kpi.kpi_value * kpi.kpi_value end) as baseline_squares,
        sum(case when windows.is_baseline then 1 else 0 end) as baseline_rows,
        sum(case when windows.is_baseline and kpi.kpi_value is null then 1 else 0 end) as baseline_unknown,
        sum(case when windows.is_baseline then kpi.market_value end) as baseline_market,
        sum(case when windows.is_baseline and kpi.market_value is not null then 1 else 0 end) as baseline_market_rows,
        sum(case when not windows.is_baseline then kpi.kpi_value end) as horizon_sum,
        sum(case when not windows.is_baseline then 1 else 0 end) as horizon_rows,
        sum(case when not windows.is_baseline and kpi.kpi_value is null then 1 else 0 end) as horizon_unknown,
        sum(case when not windows.is_baseline then kpi.market_value end) as horizon_market,
        sum(case when not windows.is_baseline and kpi.market_value is not null then 1 else 0 end) as horizon_market_rows,
        max(case when windows.is_baseline and (kpi.kpi_value <> floor(kpi.kpi_value) or kpi.kpi_value < 0) then 1 else 0 end) as is_measured
    from kpi
    inner join windows
        on kpi.period_start = windows.period_start
        and kpi.known_from <= windows.as_of
        and kpi.known_until > windows.as_of
        and (windows.is_scoring or kpi.is_training)
    group by kpi.hcp_id, windows.snapshot_date
),

-- the first snapshot that sees rows of a period known on a day; every later one does too
days as (
    select distinct
        period_start,
        known_from
    from kpi
),

visible as (
    select
        days.period_start,
        days.known_from,
        periods.period_number,
        min(snapshots.snapshot_date) as visible_from
    from days
    inner join periods on days.period_start = periods.period_start
    inner join snapshots
        on days.known_from <= snapshots.snapshot_date
        and periods.period_number <= snapshots.baseline_last
    group by days.period_start, days.known_from, periods.period_number
),

newly_visible as (
    select
        kpi.hcp_id,
        visible.visible_from,
        min(visible.period_number) as first_number
    from kpi
    inner join visible
        on kpi.period_start = visible.period_start
        and kpi.known_from = visible.known_from
    group by kpi.hcp_id, visible.visible_from
),

-- from its first row on, a period without a row is a period without KPI
first_rows as (
    select
        hcp_snapshots.hcp_id,
        hcp_snapshots.snapshot_date,
        min(newly_visible.first_number) as first_number
    from hcp_snapshots
    inner join newly_visible
        on hcp_snapshots.hcp_id = newly_visible.hcp_id
        and newly_visible.visible_from <= hcp_snapshots.snapshot_date
    group by hcp_snapshots.hcp_id, hcp_snapshots.snapshot_date
),

known as (
    select
        hcp_snapshots.hcp_id,
        hcp_snapshots.snapshot_date,
        hcp_snapshots.is_scoring,
        hcp_snapshots.horizon_end,
        case
            when run_config.kpi_absent = 'unknown' or first_rows.first_number is null then coalesce(sums.baseline_rows, 0)
            when first_rows.first_number > hcp_snapshots.baseline_first then hcp_snapshots.baseline_last - first_rows.first_number + 1
            else hcp_snapshots.baseline_last - hcp_snapshots.baseline_first + 1
        end - coalesce(sums.baseline_unknown, 0) as baseline_known,
        coalesce(sums.baseline_sum, 0) as baseline_sum,
        coalesce(sums.baseline_squares, 0) as baseline_squares,
        {{ ratio('sums.baseline_market', 'sums.baseline_market_rows') }} as baseline_market,
        not hcp_snapshots.is_scoring
        and coalesce(sums.horizon_unknown, 0) = 0
        and (run_config.kpi_absent = 'zero' or coalesce(sums.horizon_rows, 0) = run_config.churn_periods) as is_horizon_known,
        coalesce(sums.horizon_sum, 0) as horizon_sum,
        {{ ratio('sums.horizon_market', 'sums.horizon_market_rows') }} as horizon_market,
        coalesce(sums.is_measured, 0) as is_measured
    from hcp_snapshots
    cross join run_config
    left join sums
        on hcp_snapshots.hcp_id = sums.hcp_id
        and hcp_snapshots.snapshot_date = sums.snapshot_date
    left join first_rows
        on hcp_snapshots.hcp_id = first_rows.hcp_id
        and hcp_snapshots.snapshot_date = first_rows.snapshot_date
),

-- sums of decimals differ in their last bits from engine to engine; no threshold may hang on those
baselines as (
    select
        known.*,
        run_config.churn_periods,
        run_config.churn_drop,
        case when known.baseline_known >= {{ least_periods }} then {{ ratio('known.baseline_sum', 'known.baseline_known') }} end as baseline_mean,
        known.baseline_known >= {{ least_periods }}
        and known.baseline_sum >= run_config.churn_min_kpi * known.baseline_known * (1 - 1e-9) as is_at_risk,
        greatest(
            {{ ratio('known.baseline_squares - known.baseline_sum * known.baseline_sum / nullif(known.baseline_known, 0)', 'known.baseline_known - 1') }}, 0
        ) as baseline_variance
    from known
    cross join run_config
),

-- counts scatter as a Poisson variable or more, by the mean of variance over mean; anything else as the HCP itself did
noises as (
    select
        snapshot_date,
        max(is_measured) = 1 as is_measured,
        greatest(avg({{ ratio('baseline_variance', 'baseline_mean') }}), 1) as dispersion
    from baselines
    where is_at_risk
    group by snapshot_date
),

-- what became of all of them together: the market where at least half of them have one, else their own KPI
markets as (
    select
        baselines.snapshot_date,
        case
            when 2 * count({{ ratio('baselines.horizon_market', 'baselines.baseline_market') }}) >= count(*)
                then {{ ratio(
                    'sum(case when baselines.baseline_market > 0 then baselines.horizon_market end)',
                    'sum(case when baselines.baseline_market > 0 and baselines.horizon_market is not null then baselines.baseline_market end)'
                ) }}
            else {{ ratio('sum(baselines.horizon_sum)', 'sum(baselines.baseline_mean * baselines.churn_periods)') }}
        end as market_index
    from baselines
    where baselines.is_at_risk and baselines.is_horizon_known
    group by baselines.snapshot_date
),

expected as (
    select
        baselines.*,
        markets.market_index,
        noises.is_measured as is_measured_panel,
        noises.dispersion,
        case
            when baselines.is_at_risk and baselines.is_horizon_known
                then baselines.baseline_mean * baselines.churn_periods * markets.market_index
        end as expected_kpi,
        {{ ratio('baselines.churn_periods * markets.market_index', 'baselines.baseline_known') }} as scale
    from baselines
    left join markets on baselines.snapshot_date = markets.snapshot_date
    left join noises on baselines.snapshot_date = noises.snapshot_date
),

-- the fall in standard deviations, that of the baseline itself included: Anscombe's square roots for counts, the difference for the rest
tested as (
    select
        expected.*,
        case
            when expected_kpi is null then null
            when not is_measured_panel
                then 2 * (sqrt(greatest(horizon_sum, 0) + 0.375) - sqrt(greatest(expected_kpi, 0) + 0.375)) / sqrt(dispersion * (1 + scale))
            when baseline_variance > 1e-12 * baseline_mean * baseline_mean
                then (horizon_sum - expected_kpi) / sqrt(baseline_variance * (churn_periods + scale * scale * baseline_known))
            when horizon_sum < expected_kpi then -1000
            else 0
        end as fall
    from expected
),

final as (
    select
        tested.hcp_id,
        tested.snapshot_date,
        tested.is_scoring,
        tested.horizon_end,
        coalesce(tested.is_at_risk, false) as is_at_risk,
        {{ round_significant('tested.baseline_mean', 6) }} as baseline_kpi,
        cast(tested.baseline_known as integer) as baseline_known,
        {{ round_significant('tested.market_index', 6) }} as market_index,
        case when tested.expected_kpi is not null then {{ round_significant('tested.horizon_sum', 6) }} end as horizon_kpi,
        {{ round_significant('tested.expected_kpi', 6) }} as expected_kpi,
        {{ round_significant('tested.fall', 6) }} as fall,
        case
            when tested.expected_kpi is not null
                then
                    tested.horizon_sum <= (1 - tested.churn_drop) * tested.expected_kpi * (1 + 1e-9)
                    and tested.fall < -{{ normal_point }}
        end as has_churned
    from tested
    where tested.is_scoring or tested.expected_kpi is not null
)

select * from final
