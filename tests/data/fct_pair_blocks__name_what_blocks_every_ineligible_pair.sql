with

blocked as (
    select
        pairs.hcp_id,
        pairs.channel,
        pairs.is_eligible,
        pairs.blocked_by,
        count(blocks.rule) as blocks,
        count(case when blocks.rule = pairs.blocked_by then 1 end) as first_blocks
    from {{ ref('fct_hcp_channel_scores') }} as pairs
    left join {{ ref('fct_pair_blocks') }} as blocks
        on pairs.hcp_id = blocks.hcp_id and pairs.channel = blocks.channel
    group by pairs.hcp_id, pairs.channel, pairs.is_eligible, pairs.blocked_by
)

select *
from blocked
where (is_eligible and (blocked_by is not null or blocks > 0))
    or (not is_eligible and (blocked_by is null or first_blocks != 1))
