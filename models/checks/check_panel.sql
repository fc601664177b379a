with

engagement as (select * from {{ ref('base_engagement_history') }}),

kpi as (select * from {{ ref('base_kpi_metrics') }}),

-- every period start of both tables, once
starts as (
    select cast(period_start as date) as period_start from engagement where period_start is not null
    union
    select cast(period_start as date) as period_start from kpi where period_start is not null
),

cycle as (
    select cast({{ date_literal(switches()['values']['nba_cycle_start']) if execute else 'null' }} as date) as cycle_start
),

first_start as (
    select min(period_start) as first_start from starts
),

grain as (
    select
        case
            when sum(case when extract(day from starts.period_start) <> 1 then 1 else 0 end) = 0 then 'month'
            when sum(case when mod({{ dbt.datediff('first_start.first_start', 'starts.period_start', 'day') }}, 7) <> 0 then 1 else 0 end) = 0 then 'week'
            else 'mixed'
        end as grain
    from starts
    cross join first_start
),

engagement_span as (
    select
        min(cast(engagement.period_start as date)) as engagement_first,
        max(case when cycle.cycle_start is null or cast(engagement.period_start as date) < cycle.cycle_start then cast(engagement.period_start as date) end) as engagement_last
    from engagement
    cross join cycle
),

kpi_span as (
    select
        min(cast(kpi.period_start as date)) as kpi_first,
        max(case when cycle.cycle_start is null or cast(kpi.period_start as date) < cycle.cycle_start then cast(kpi.period_start as date) end) as kpi_last
    from kpi
    cross join cycle
),

final as (
    select
        cycle.cycle_start,
        grain.grain,
        first_start.first_start,
        engagement_span.engagement_first,
        engagement_span.engagement_last,
        kpi_span.kpi_first,
        kpi_span.kpi_last,
        greatest(engagement_span.engagement_first, kpi_span.kpi_first) as panel_start,
        -- periods by which the KPI ends before engagement; negative when it ends later
        case
            when grain.grain = 'month' then {{ dbt.datediff('kpi_span.kpi_last', 'engagement_span.engagement_last', 'month') }}
            else {{ dbt.datediff('kpi_span.kpi_last', 'engagement_span.engagement_last', 'day') }} / 7.0
        end as kpi_lag_periods,
        -- how far the cycle start lies off the panel's period starts, in days
        cast(case
            when grain.grain = 'month' then extract(day from cycle.cycle_start) - 1
            when grain.grain = 'week' then mod(abs({{ dbt.datediff('first_start.first_start', 'cycle.cycle_start', 'day') }}), 7)
        end as bigint) as cycle_start_offset
    from cycle
    cross join grain
    cross join first_start
    cross join engagement_span
    cross join kpi_span
)

select * from final
