-- depends_on: {{ ref('gate_input_quality') }}
with

runs as (select * from {{ ref('stg_prior_runs') }} where cycles_back > 0),

run_config as (select * from {{ ref('run_config') }}),

engagement as (
    select engagement.*
    from {{ ref('stg_engagement') }} as engagement
    cross join run_config
    where engagement.known_from <= run_config.cycle_start
),

known as (select max(period_end) as known_until from engagement),

-- the newest cycle before this one of which all touches are known
ended as (
    select
        runs.*,
        row_number() over (order by runs.cycle_start desc) as recency
    from runs
    cross join known
    where runs.cycle_end <= known.known_until
),

past as (select * from ended where recency = 1),

outcomes as (
    select
        past.run_id,
        engagement.hcp_id,
        engagement.channel,
        cast(sum(engagement.touches) as double precision) as touches,
        cast(sum(engagement.responses) as double precision) as responses
    from engagement
    inner join past
        on engagement.period_start >= past.cycle_start
        and engagement.period_start < past.cycle_end
    where engagement.responses is not null and engagement.touches > 0
    group by past.run_id, engagement.hcp_id, engagement.channel
),

scores as (
    select *
    from {{ memory('hcp_channel_scores', {'run_id': 'text', 'hcp_id': 'text', 'channel': 'text', 'engagement_probability': 'double precision'}) }} as scores
),

matched as (
    select
        outcomes.run_id,
        outcomes.channel,
        scores.engagement_probability as chance,
        outcomes.touches,
        outcomes.responses
    from outcomes
    inner join scores
        on outcomes.run_id = scores.run_id
        and outcomes.hcp_id = scores.hcp_id
        and outcomes.channel = scores.channel
    where scores.engagement_probability is not null
),

by_scope as (
    select run_id, channel, chance, touches, responses from matched
    union all
    select run_id, 'all' as channel, chance, touches, responses from matched
),

-- equal predictions tie
by_chance as (
    select
        run_id,
        channel,
        chance,
        sum(touches) as touches,
        sum(responses) as responses
    from by_scope
    group by run_id, channel, chance
),

ranked as (
    select
        by_chance.*,
        sum(touches - responses) over (
            partition by run_id, channel order by chance rows between unbounded preceding and current row
        ) - (touches - responses) as silent_below
    from by_chance
),

totals as (
    select
        run_id,
        channel,
        sum(touches) as touches,
        sum(responses) as responses,
        {{ exact_sum('touches * chance') }} as expected,
        {{ exact_sum('touches * chance * (1 - chance)') }} as variance,
        {{ exact_sum('responses * (silent_below + (touches - responses) / 2)') }} as pairs_in_order
    from ranked
    group by run_id, channel
),

performance as (
    select *
    from {{ memory('model_performance', {'run_id': 'text', 'channel': 'text', 'auc': 'double precision', 'touches': 'integer'}) }} as performance
),

final as (
    select
        totals.run_id,
        totals.channel,
        totals.touches,
        totals.responses,
        totals.touches - totals.responses as silent,
        totals.expected,
        totals.variance,
        totals.pairs_in_order / nullif(totals.responses * (totals.touches - totals.responses), 0) as auc,
        performance.auc as promised_auc,
        performance.touches as promised_touches
    from totals
    left join performance
        on totals.run_id = performance.run_id
        and totals.channel = performance.channel
)

select * from final
