with

cycles as (select * from {{ ref('measure_cycles') }}),

run_config as (select * from {{ ref('run_config') }}),

periods as (select * from {{ ref('stg_periods') }}),

-- an assignment without a unit was drawn for the HCP alone, one without a date for its own cycle
assigned as (
    select
        cycles.measured_run_id,
        cycles.measured_cycle,
        cycles.measured_cycle_end,
        cycles.is_kpi_known,
        cycles.are_touches_known,
        assignments.hcp_id,
        coalesce(assignments.unit_id, assignments.hcp_id) as unit_id,
        assignments.stratum,
        assignments.arm,
        assignments.arm_probability,
        coalesce(assignments.drawn_cycle, cycles.measured_cycle) as drawn_cycle
    from {{ memory('assignments', {
        'run_id': 'text', 'hcp_id': 'text', 'arm': 'text', 'arm_probability': 'double precision', 'stratum': 'text',
        'unit_id': 'text', 'drawn_cycle': 'date',
    }) }} as assignments
    inner join cycles on assignments.run_id = cycles.measured_run_id
),

draws as (
    select distinct
        measured_cycle,
        measured_cycle_end,
        drawn_cycle
    from assigned
),

-- the cycle, as many periods before the draw, and the long window before it: what came after a draw may be its doing
spans as (
    select
        draws.measured_cycle,
        draws.drawn_cycle,
        periods.period_start,
        periods.period_start >= draws.measured_cycle as is_cycle,
        periods.period_start < draws.drawn_cycle
        and periods.period_start >= {{ add_periods('draws.drawn_cycle', '(-run_config.cycle_periods)', 'run_config.grain') }} as is_before,
        periods.period_start < draws.drawn_cycle as is_long_before
    from draws
    cross join run_config
    inner join periods
        on periods.period_start < draws.measured_cycle_end
        and periods.period_start >= {{ add_periods('draws.drawn_cycle', '(-run_config.window_long)', 'run_config.grain') }}
    where periods.period_start >= draws.measured_cycle or periods.period_start < draws.drawn_cycle
),

span_periods as (
    select
        measured_cycle,
        drawn_cycle,
        sum(case when is_cycle then 1 else 0 end) as cycle_periods,
        sum(case when is_before then 1 else 0 end) as before_periods,
        sum(case when is_long_before then 1 else 0 end) as long_before_periods
    from spans
    group by measured_cycle, drawn_cycle
),

kpi as (
    select
        kpi.hcp_id,
        kpi.period_start,
        kpi.kpi_value,
        kpi.market_value
    from {{ ref('stg_kpi') }} as kpi
    cross join run_config
    where kpi.known_from <= run_config.cycle_start and kpi.known_until > run_config.cycle_start
),

first_rows as (
    select
        hcp_id,
        min(period_start) as first_period
    from kpi
    group by hcp_id
),

sums as (
    select
        spans.measured_cycle,
        spans.drawn_cycle,
        kpi.hcp_id,
        sum(case when spans.is_cycle then 1 else 0 end) as cycle_rows,
        sum(case when spans.is_cycle and kpi.kpi_value is null then 1 else 0 end) as cycle_unknown,
        sum(case when spans.is_before and kpi.kpi_value is not null then 1 else 0 end) as before_rows,
        sum(case when spans.is_long_before and kpi.kpi_value is not null then 1 else 0 end) as long_before_rows,
        sum(case when spans.is_long_before and kpi.market_value is not null then 1 else 0 end) as market_rows,
        {{ exact_sum('case when spans.is_cycle then kpi.kpi_value end') }} as cycle_kpi,
        {{ exact_sum('case when spans.is_before then kpi.kpi_value end') }} as before_kpi,
        {{ exact_sum('case when spans.is_long_before then kpi.kpi_value end') }} as long_before_kpi,
        {{ exact_sum('case when spans.is_long_before then kpi.market_value end') }} as market_before
    from kpi
    inner join spans on kpi.period_start = spans.period_start
    group by spans.measured_cycle, spans.drawn_cycle, kpi.hcp_id
),

touched as (
    select
        cycles.measured_cycle,
        engagement.hcp_id,
        sum(engagement.touches) as touches
    from {{ ref('stg_engagement') }} as engagement
    cross join run_config
    inner join cycles
        on engagement.period_start >= cycles.measured_cycle
        and engagement.period_start < cycles.measured_cycle_end
    where engagement.known_from <= run_config.cycle_start
    group by cycles.measured_cycle, engagement.hcp_id
),

planned as (
    select
        recommendations.run_id,
        recommendations.hcp_id,
        {{ exact_sum('recommendations.plan_value') }} as plan_value
    from {{ memory('recommendations', {'run_id': 'text', 'hcp_id': 'text', 'plan_value': 'double precision'}) }} as recommendations
    inner join cycles on recommendations.run_id = cycles.measured_run_id
    group by recommendations.run_id, recommendations.hcp_id
),

-- what ranks HCPs of all arms alike, whatever the plan gave them
best as (
    select
        scores.run_id,
        scores.hcp_id,
        max(scores.expected_impact) as best_impact
    from {{ memory('hcp_channel_scores', {
        'run_id': 'text', 'hcp_id': 'text', 'expected_impact': 'double precision', 'is_eligible': 'boolean',
    }) }} as scores
    inner join cycles on scores.run_id = cycles.measured_run_id
    where scores.is_eligible
    group by scores.run_id, scores.hcp_id
),

-- whose first KPI lies after the draw may owe it to the draw: such HCPs stay out of every arm
final as (
    select
        assigned.measured_cycle,
        assigned.hcp_id,
        assigned.unit_id,
        assigned.stratum,
        assigned.arm,
        assigned.arm_probability,
        assigned.drawn_cycle,
        case
            when not assigned.is_kpi_known or sums.cycle_unknown > 0 then null
            when first_rows.first_period is null or first_rows.first_period >= assigned.drawn_cycle then null
            when run_config.kpi_absent = 'unknown' and coalesce(sums.cycle_rows, 0) < span_periods.cycle_periods then null
            else coalesce(sums.cycle_kpi, 0)
        end as kpi,
        case
            when run_config.kpi_absent = 'unknown' then sums.before_kpi / nullif(sums.before_rows, 0)
            else coalesce(sums.before_kpi, 0) / nullif(span_periods.before_periods, 0)
        end as kpi_before,
        case
            when run_config.kpi_absent = 'unknown' then sums.long_before_kpi / nullif(sums.long_before_rows, 0)
            else coalesce(sums.long_before_kpi, 0) / nullif(span_periods.long_before_periods, 0)
        end as kpi_long_before,
        sums.market_before / nullif(sums.market_rows, 0) as market_before,
        cast(coalesce(touched.touches, 0) as double precision) as touches,
        coalesce(planned.plan_value, 0) as predicted,
        best.best_impact,
        assigned.is_kpi_known,
        assigned.are_touches_known
    from assigned
    cross join run_config
    left join span_periods
        on assigned.measured_cycle = span_periods.measured_cycle
        and assigned.drawn_cycle = span_periods.drawn_cycle
    left join sums
        on assigned.measured_cycle = sums.measured_cycle
        and assigned.drawn_cycle = sums.drawn_cycle
        and assigned.hcp_id = sums.hcp_id
    left join first_rows on assigned.hcp_id = first_rows.hcp_id
    left join touched
        on assigned.measured_cycle = touched.measured_cycle
        and assigned.hcp_id = touched.hcp_id
    left join planned
        on assigned.measured_run_id = planned.run_id
        and assigned.hcp_id = planned.hcp_id
    left join best
        on assigned.measured_run_id = best.run_id
        and assigned.hcp_id = best.hcp_id
)

select * from final
