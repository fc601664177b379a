-- depends_on: {{ ref('gate_input_quality') }}
with

given as (select * from {{ ref('base_engagement_history') }}),

hcps as (select hcp_id from {{ ref('stg_hcp_master') }}),

run_config as (select * from {{ ref('run_config') }}),

-- when a row of the period is known that does not say so itself
periods as (
    select
        periods.period_start,
        periods.period_end,
        {{ add_periods('periods.period_end', 'run_config.engagement_known_lag', 'run_config.grain') }} as known_from
    from {{ ref('stg_periods') }} as periods
    cross join run_config
),

typed as (
    select
        cast(hcp_id as text) as hcp_id,
        cast(channel as text) as channel,
        cast(period_start as date) as period_start,
        cast(touches as integer) as touches,
        cast(responses as integer) as responses,
        cast(content_id as text) as content_id,
        {{ first_day_known('known_at') }} as known_from
    from given
),

-- the joins leave out what lies outside the panel and the HCPs that the master lacks
final as (
    select
        typed.hcp_id,
        typed.channel,
        typed.period_start,
        periods.period_end,
        typed.touches,
        typed.responses,
        typed.content_id,
        coalesce(typed.known_from, periods.known_from) as known_from
    from typed
    inner join periods on typed.period_start = periods.period_start
    inner join hcps on typed.hcp_id = hcps.hcp_id
)

select * from final
