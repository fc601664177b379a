with

hcps as (select * from {{ ref('dim_hcps') }}),

all_periods as (select * from {{ ref('stg_periods') }}),

engagement as (select * from {{ ref('stg_engagement') }}),

run as (select * from {{ ref('run_config') }}),

known as (select kpi_through from {{ ref('feat_snapshots') }} where is_scoring),

periods as (
    select
        aged.period_start,
        aged.period_end
    from (
        select
            all_periods.period_start,
            all_periods.period_end,
            row_number() over (order by all_periods.period_start desc) as age
        from all_periods
        cross join run
        where all_periods.period_start < run.cycle_start
    ) as aged
    where aged.age <= 24
),

-- the version that held when the cycle started; only the periods shown, before anything else is done with them
known_kpi as (
    select
        kpi.hcp_id,
        kpi.period_start,
        kpi.kpi_value,
        kpi.market_value
    from {{ ref('stg_kpi') }} as kpi
    inner join periods on kpi.period_start = periods.period_start
    cross join run
    where kpi.known_from <= run.cycle_start and run.cycle_start < kpi.known_until
),

-- not a CTE of the table above: read twice, an engine would store it
first_kpi as (
    select
        kpi.hcp_id,
        min(kpi.period_start) as first_kpi_start
    from {{ ref('stg_kpi') }} as kpi
    cross join run
    where kpi.known_from <= run.cycle_start and run.cycle_start < kpi.known_until
    group by kpi.hcp_id
),

channel_touches as (
    select
        engagement.hcp_id,
        engagement.period_start,
        engagement.channel,
        sum(engagement.touches) as touches,
        sum(engagement.responses) as responses
    from engagement
    inner join periods on engagement.period_start = periods.period_start
    cross join run
    where engagement.known_from <= run.cycle_start
    group by engagement.hcp_id, engagement.period_start, engagement.channel
),

-- once for each channel, not for each row
names as (
    select
        channels.channel,
        {{ json_text('channels.channel') }} as name
    from (select distinct channel from {{ ref('stg_engagement') }}) as channels
),

channel_words as (
    select
        channel_touches.hcp_id,
        channel_touches.period_start,
        channel_touches.touches,
        channel_touches.responses,
        channel_touches.channel,
        names.name || ': ' || cast(cast(channel_touches.touches as bigint) as text) as touch_words,
        names.name || ': ' || cast(cast(channel_touches.responses as bigint) as text) as response_words
    from channel_touches
    inner join names on channel_touches.channel = names.channel
    where channel_touches.touches > 0
),

touches as (
    select
        hcp_id,
        period_start,
        count(*) as channels,
        sum(touches) as touches,
        sum(responses) as responses,
        min(touch_words) as touch_words,
        min(response_words) as response_words
    from channel_words
    group by hcp_id, period_start
),

-- putting texts in order costs more than all else here, and most periods have one channel
several as (
    select
        channel_words.hcp_id,
        channel_words.period_start,
        {{ dbt.listagg('channel_words.touch_words', "', '", 'order by ' ~ text_order('channel_words.channel')) }} as touch_words,
        {{ dbt.listagg('channel_words.response_words', "', '", 'order by ' ~ text_order('channel_words.channel')) }} as response_words
    from channel_words
    inner join touches
        on channel_words.hcp_id = touches.hcp_id
        and channel_words.period_start = touches.period_start
    where touches.channels > 1
    group by channel_words.hcp_id, channel_words.period_start
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
        coalesce(several.touch_words, touches.touch_words, '') as touch_words,
        case when touches.channels > 1 then several.response_words else touches.response_words end as response_words
    from hcps
    cross join periods
    cross join run
    cross join known
    left join first_kpi on hcps.hcp_id = first_kpi.hcp_id
    left join known_kpi on hcps.hcp_id = known_kpi.hcp_id and periods.period_start = known_kpi.period_start
    left join touches on hcps.hcp_id = touches.hcp_id and periods.period_start = touches.period_start
    left join several on hcps.hcp_id = several.hcp_id and periods.period_start = several.period_start
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
        '{' || coalesce(response_words, '') || '}' as responses_by_channel
    from timeline
)

select * from final
