with

kpi as (select * from {{ ref('stg_kpi') }}),

run as (select * from {{ ref('run_config') }}),

-- without arms there is nothing to measure, and nothing is added up
asked as (select count(*) as arms from {{ ref('stg_rule_holdout') }}),

known as (
    select
        kpi.hcp_id,
        kpi.period_start,
        kpi.period_end,
        kpi.kpi_value
    from kpi
    cross join run
    cross join asked
    where asked.arms > 0
        and kpi.period_end <= run.cycle_start
        and kpi.known_from <= run.cycle_start
        and kpi.known_until > run.cycle_start
),

newest as (select max(period_end) as known_end from known),

-- cycles as long as the one to come, counted back from the newest period that is known
periods as (
    select
        periods.period_start,
        cast(floor((row_number() over (order by periods.period_start desc) - 1) / cast(run.cycle_periods as double precision)) as integer) as cycles_back,
        run.cycle_periods
    from {{ ref('stg_periods') }} as periods
    cross join run
    cross join newest
    where periods.period_end <= newest.known_end
),

first_known as (
    select
        hcp_id,
        min(period_start) as first_start
    from known
    group by hcp_id
),

-- a period without a row after the first one is 0, or unknown where the run says so
final as (
    select
        first_known.hcp_id,
        periods.cycles_back,
        {{ exact_sum('coalesce(known.kpi_value, 0)') }} as kpi_value,
        sum(
            case
                when periods.period_start < first_known.first_start then 0
                when known.hcp_id is null then case when run.kpi_absent = 'zero' then 1 else 0 end
                when known.kpi_value is null then 0
                else 1
            end
        ) = max(periods.cycle_periods) as is_known
    from first_known
    cross join periods
    cross join run
    left join known on first_known.hcp_id = known.hcp_id and periods.period_start = known.period_start
    where periods.cycles_back <= 6
    group by first_known.hcp_id, periods.cycles_back
)

select * from final
