with

predictions as (select * from {{ ref('monitor_predictions') }}),

periods as (select * from {{ ref('monitor_periods') }}),

plans as (select * from {{ ref('monitor_plan') }}),

versions as (select * from {{ ref('engagement_versions') }}),

run_config as (select * from {{ ref('run_config') }}),

-- the error of an AUC (Hanley and McNeil 1982), and of the promised one from as many touches as stood behind it
auc_errors as (
    select
        predictions.*,
        sqrt(greatest(
            auc * (1 - auc)
            + (responses - 1) * (auc / (2 - auc) - auc * auc)
            + (silent - 1) * (2 * auc * auc / (1 + auc) - auc * auc),
            0
        ) / (responses * silent) * (1 + touches / nullif(promised_touches, 0))) as error
    from predictions
    where responses > 0 and silent > 0
),

-- recent periods against the long window before them; a spread of nothing still has some error
levels as (
    select
        series,
        channel,
        avg(case when is_recent = 1 then value end) as recent,
        avg(case when is_recent = 0 then value end) as earlier,
        stddev_samp(case when is_recent = 0 then value end) as spread,
        sum(is_recent) as recent_periods,
        sum(1 - is_recent) as earlier_periods,
        sum(case when is_recent = 1 then touches end) as recent_touches,
        sum(case when is_recent = 0 then touches end) as earlier_touches,
        sum(case when is_recent = 1 then answered_touches end) as recent_answered,
        sum(case when is_recent = 0 then answered_touches end) as earlier_answered,
        sum(case when is_recent = 1 then responses end) as recent_responses,
        sum(case when is_recent = 0 then responses end) as earlier_responses
    from periods
    group by series, channel
),

trends as (
    select
        levels.*,
        case when earlier > 0 and recent > 0 then greatest(recent / earlier, earlier / recent) - 1 when earlier > 0 then 9 end as effect,
        abs(recent - earlier) / nullif(greatest(coalesce(spread, 0), 0.000001 * abs(earlier)) * sqrt(1.0 / nullif(recent_periods, 0) + 1.0 / nullif(earlier_periods, 0)), 0) as sureness,
        {{ ratio('recent_responses', 'recent_answered') }} as recent_rate,
        {{ ratio('earlier_responses', 'earlier_answered') }} as earlier_rate,
        {{ ratio('recent_responses + earlier_responses', 'recent_answered + earlier_answered') }} as pooled_rate
    from levels
),

totals as (
    select
        sum(recent_touches) as recent_touches,
        sum(earlier_touches) as earlier_touches
    from levels
    where series = 'engagement'
),

mix as (
    select
        sum(abs(levels.recent_touches / nullif(totals.recent_touches, 0) - levels.earlier_touches / nullif(totals.earlier_touches, 0))) / 2 as moved,
        max(totals.recent_touches) as recent_touches,
        max(totals.earlier_touches) as earlier_touches
    from levels
    cross join totals
    where levels.series = 'engagement'
),

engagement_end as (
    select max(engagement.period_end) as known_until
    from {{ ref('stg_engagement') }} as engagement
    cross join run_config
    where engagement.known_from <= run_config.cycle_start
),

kpi_end as (
    select max(kpi.period_end) as known_until
    from {{ ref('stg_kpi') }} as kpi
    cross join run_config
    where kpi.known_from <= run_config.cycle_start
),

facts as (
    select
        'auc' as measure,
        'engagement' as subject,
        channel,
        auc as value,
        promised_auc as baseline,
        promised_auc - auc as effect,
        least(responses, silent) as n,
        (promised_auc - auc) / nullif(error, 0) as sureness
    from auc_errors

    union all

    select
        'calibration' as measure,
        'engagement' as subject,
        channel,
        responses / nullif(expected, 0) as value,
        1.0 as baseline,
        greatest(greatest(responses, 0.5) / expected, expected / greatest(responses, 0.5)) - 1 as effect,
        expected as n,
        abs(responses - expected) / nullif(sqrt(variance), 0) as sureness
    from predictions
    where expected > 0

    union all

    select
        'touch_trend' as measure,
        'inputs' as subject,
        channel,
        recent as value,
        earlier as baseline,
        effect,
        earlier_periods as n,
        sureness
    from trends
    where series = 'engagement'

    union all

    select
        'response_trend' as measure,
        'inputs' as subject,
        channel,
        recent_rate as value,
        earlier_rate as baseline,
        case
            when earlier_rate > 0 and recent_rate > 0 then greatest(recent_rate / earlier_rate, earlier_rate / recent_rate) - 1
            when earlier_rate > 0 and recent_rate = 0 then 9
        end as effect,
        least(recent_answered, earlier_answered) as n,
        abs(recent_rate - earlier_rate) / nullif(sqrt(pooled_rate * (1 - pooled_rate) * (1.0 / nullif(recent_answered, 0) + 1.0 / nullif(earlier_answered, 0))), 0) as sureness
    from trends
    where series = 'engagement' and earlier_answered > 0

    union all

    select
        'kpi_trend' as measure,
        'inputs' as subject,
        cast(null as text) as channel,
        recent as value,
        earlier as baseline,
        effect,
        earlier_periods as n,
        sureness
    from trends
    where series = 'kpi'

    union all

    select
        'touch_mix' as measure,
        'inputs' as subject,
        cast(null as text) as channel,
        moved as value,
        0.0 as baseline,
        moved as effect,
        least(recent_touches, earlier_touches) as n,
        cast(null as double precision) as sureness
    from mix

    union all

    select
        'plan_mix' as measure,
        'plan' as subject,
        cast(null as text) as channel,
        mix_moved as value,
        0.0 as baseline,
        mix_moved as effect,
        least(actions, last_actions) as n,
        cast(null as double precision) as sureness
    from plans

    union all

    select
        'plan_stability' as measure,
        'plan' as subject,
        cast(null as text) as channel,
        not_kept as value,
        0.0 as baseline,
        not_kept as effect,
        last_actions as n,
        cast(null as double precision) as sureness
    from plans

    union all

    select
        'price_drift' as measure,
        'plan' as subject,
        cast(null as text) as channel,
        prices_moved as value,
        0.0 as baseline,
        prices_moved as effect,
        priced_limits as n,
        cast(null as double precision) as sureness
    from plans

    union all

    select
        'engagement_freshness' as measure,
        'inputs' as subject,
        cast(null as text) as channel,
        {{ dbt.datediff('engagement_end.known_until', 'run_config.cycle_start', 'day') }} as value,
        cast(null as double precision) as baseline,
        {{ dbt.datediff('engagement_end.known_until', 'run_config.cycle_start', 'day') }} as effect,
        1 as n,
        cast(null as double precision) as sureness
    from engagement_end
    cross join run_config

    union all

    select
        'kpi_freshness' as measure,
        'inputs' as subject,
        cast(null as text) as channel,
        {{ dbt.datediff('kpi_end.known_until', 'run_config.cycle_start', 'day') }} as value,
        cast(null as double precision) as baseline,
        {{ dbt.datediff('kpi_end.known_until', 'run_config.cycle_start', 'day') }} as effect,
        1 as n,
        cast(null as double precision) as sureness
    from kpi_end
    cross join run_config

    union all

    select
        'model_refused' as measure,
        'engagement' as subject,
        cast(null as text) as channel,
        coalesce(sum(case when stage = 'retired' and stage_reason like 'refused:%' then 1 else 0 end), 0) as value,
        0.0 as baseline,
        coalesce(sum(case when stage = 'retired' and stage_reason like 'refused:%' then 1 else 0 end), 0) as effect,
        1 as n,
        cast(null as double precision) as sureness
    from versions
),

final as (
    select
        measure,
        subject,
        cast(null as text) as feature,
        channel,
        cast(value as double precision) as value,
        cast(baseline as double precision) as baseline,
        cast(effect as double precision) as effect,
        cast(round(cast(n as double precision)) as integer) as n,
        cast(case when sureness > 8 then 8 when sureness < -8 then -8 else sureness end as double precision) as sureness
    from facts
)

select * from final
