with

snapshots as (select * from {{ ref('feat_snapshots') }} where not is_scoring),

periods as (select * from {{ ref('stg_periods') }}),

training_hcps as (select hcp_id from {{ ref('feat_training_hcps') }}),

engagement as (select * from {{ ref('stg_engagement') }}),

run_config as (select * from {{ ref('run_config') }}),

outcome_periods as (
    select
        periods.period_start,
        snapshots.snapshot_date
    from snapshots
    inner join periods
        on periods.period_start >= snapshots.snapshot_date
        and periods.period_start < snapshots.outcome_end
),

final as (
    select
        engagement.hcp_id,
        engagement.channel,
        outcome_periods.snapshot_date,
        cast(sum(engagement.touches) as integer) as label_touches,
        cast(sum(engagement.responses) as integer) as label_responses
    from engagement
    inner join outcome_periods on engagement.period_start = outcome_periods.period_start
    inner join training_hcps on engagement.hcp_id = training_hcps.hcp_id
    cross join run_config
    where engagement.known_from <= run_config.cycle_start
        and engagement.responses is not null
        and engagement.touches > 0
    group by engagement.hcp_id, engagement.channel, outcome_periods.snapshot_date
)

select * from final
