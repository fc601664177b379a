with

pairs as (select * from {{ ref('feat_scoring') }}),

engagement as (select * from {{ ref('score_engagement') }}),

impact as (select * from {{ ref('score_impact') }}),

churn as (select * from {{ ref('score_churn') }}),

run_config as (select * from {{ ref('run_config') }}),

channels as (select greatest(count(*), 1) as channels from {{ ref('stg_catalog') }}),

ordered as (
    select
        hcp_id,
        row_number() over (order by {{ text_order('md5(hcp_id)') }}, {{ text_order('hcp_id') }}) as draw
    from {{ ref('stg_hcp_master') }}
),

drawn as (
    select ordered.hcp_id
    from ordered
    cross join channels
    cross join run_config
    where ordered.draw * channels.channels <= run_config.profile_pairs
),

final as (
    select
        pairs.*,
        engagement.engagement_probability as score_engagement_probability,
        impact.expected_impact as score_expected_impact,
        churn.churn_probability as score_churn_probability
    from pairs
    inner join drawn on pairs.hcp_id = drawn.hcp_id
    left join engagement
        on pairs.hcp_id = engagement.hcp_id
        and pairs.channel = engagement.channel
    left join impact
        on pairs.hcp_id = impact.hcp_id
        and pairs.channel = impact.channel
    left join churn on pairs.hcp_id = churn.hcp_id
)

select * from final
