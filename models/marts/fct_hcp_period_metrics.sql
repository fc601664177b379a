with

hcps as (select * from {{ ref('dim_hcps') }}),

all_periods as (select * from {{ ref('stg_periods') }}),

engagement as (select * from {{ ref('stg_engagement') }}),

kpi as (select * from {{ ref('stg_kpi') }}),

run as (select * from {{ ref('run_config') }}),

known as (select kpi_through from {{ ref('feat_snapshots') }} where is_scoring),

periods as (
    select
        all_periods.period_start,
        all_periods.period_end,
        row_number() over (order by all_periods.period_start desc) as age
    from all_periods
    cross join run
    where all_periods.period_start < run.cycle_start
),

-- the version that held when the cycle started
known_kpi as (
    select
        kpi.hcp_id,
        kpi.period_start,
        kpi.kpi_value,
        kpi.market_value,
        min(kpi.period_start) over (partition by kpi.hcp_id) as first_kpi_start
    from kpi
    cross join run
    where kpi.known_from <= run.cycle_start and run.cycle_start < kpi.known_until
),

first_kpi as (
    select
        hcp_id,
        min(first_kpi_start) as first_kpi_start
    from known_kpi
    group by hcp_id
),

channel_touches as (
    select
        engagement.hcp_id,
        engagement.period_start,
        engagement.channel,
        sum(engagement.touches) as touches,
        sum(engagement.responses) as responses
    from engagement
    cross join run
    where engagement.known_from <= run.cycle_start
    group by engagement.hcp_id, engagement.period_start, engagement.channel
),

channel_words as (
    select
        hcp_id,
        period_start,
        touches,
        responses,
        channel,
        {{ json_text('channel') }} || ': ' || cast(cast(touches as bigint) as text) as touch_words,
        {{ json_text('channel') }} || ': ' || cast(cast(responses as bigint) as text) as response_words
    from channel_touches
),

touches as (
    select
        hcp_id,
        period_start,
        sum(touches) as touches,
        sum(responses) as responses,
        {{ dbt.listagg('touch_words', "', '", 'order by ' ~ text_order('channel')) }} as touch_words,
        {{ dbt.listagg('response_words', "', '", 'order by ' ~ text_order('channel')) }} as response_words
    from channel_words
    where touches > 0
    group by hcp_id, period_start
),

-- a missing KPI row is zero from the HCP's first one on, as far as the KPI is known at all
timeline as (
    select
        hcps.run_id,
        hcps.cycle_start,
        hcps.brand_id,
        hcps.territory_id,
        hcps.rep_id,
        hcps.hcp_id,
        periods.period_start,
        periods.period_end,
        case
            when known_kpi.hcp_id is not null then known_kpi.kpi_value
            when run.kpi_absent = 'zero'
                and periods.period_start >= first_kpi.first_kpi_start
                and periods.period_start <= known.kpi_through
                then 0
        end as kpi_value,
        known_kpi.market_value,
        coalesce(touches.touches, 0) as touches,
        touches.responses,
        coalesce(touches.touch_words, '') as touch_words,
        coalesce(touches.response_words, '') as response_words
    from hcps
    cross join periods
    cross join run
    cross join known
    left join first_kpi on hcps.hcp_id = first_kpi.hcp_id
    left join known_kpi on hcps.hcp_id = known_kpi.hcp_id and periods.period_start = known_kpi.period_start
    left join touches on hcps.hcp_id = touches.hcp_id and periods.period_start = touches.period_start
    where periods.age <= 24
),

final as (
    select
        run_id,
        cycle_start,
        brand_id,
        territory_id,
        rep_id,
        hcp_id,
        period_start,
        period_end,
        kpi_value,
        market_value,
        cast(touches as integer) as touches,
        cast(responses as integer) as responses,
        '{' || touch_words || '}' as touches_by_channel,
        '{' || response_words || '}' as responses_by_channel
    from timeline
)

select * from final
