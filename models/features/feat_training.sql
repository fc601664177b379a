with

pairs as (select * from {{ ref('feat_pairs') }}),

outcomes as (select * from {{ ref('feat_outcomes') }}),

final as (
    select
        pairs.*,
        outcomes.label_touches,
        outcomes.label_responses
    from pairs
    inner join outcomes
        on pairs.hcp_id = outcomes.hcp_id
        and pairs.channel = outcomes.channel
        and pairs.snapshot_date = outcomes.snapshot_date
    where not pairs.is_scoring
)

select * from final
