with

scores as (select * from {{ ref('fct_hcp_channel_scores') }}),

pairs as (select * from {{ ref('plan_pairs') }}),

limits as (select * from {{ ref('plan_limits') }}),

blocks as (select * from {{ ref('fct_pair_blocks') }}),

arms as (select * from {{ ref('draw_arms') }}),

final as (
    select
        scores.run_id,
        scores.cycle_start,
        scores.brand_id,
        scores.territory_id,
        scores.rep_id,
        scores.hcp_id,
        scores.channel,
        pairs.reason_kind,
        pairs.rule,
        pairs.limit_id,
        limits.label as limit_label,
        pairs.value_short,
        scores.expected_impact,
        case pairs.reason_kind
            when 'holdout' then case
                when arms.arm = 'explore' then 'The HCP explores: what it gets was drawn by chance.'
                else 'Held out as control.'
            end
            when 'rule' then 'Not allowed: ' || coalesce(blocks.detail, pairs.rule, 'a rule blocks it') || '.'
            when 'no_value' then 'A touch is not expected to add anything.'
            when 'price' then 'Worth less than what it would use up' || coalesce(' of: ' || limits.label, '') || '.'
            when 'better_alternative' then 'Other actions for this HCP are worth more.'
            when 'tie' then 'Worth as much as what was planned; only one could be.'
        end as reason
    from scores
    inner join pairs on scores.hcp_id = pairs.hcp_id and scores.channel = pairs.channel
    inner join arms on scores.hcp_id = arms.hcp_id
    left join limits on pairs.limit_id = limits.limit_id
    left join blocks
        on pairs.hcp_id = blocks.hcp_id and pairs.channel = blocks.channel and pairs.rule = blocks.rule
    where not scores.is_planned
)

select * from final
