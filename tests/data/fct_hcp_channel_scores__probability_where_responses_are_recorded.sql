-- A channel that records no responses has no engagement probability.
select
    pairs.hcp_id,
    pairs.channel
from {{ ref('fct_hcp_channel_scores') }} as pairs
inner join {{ ref('dim_channels') }} as channels on pairs.channel = channels.channel
where not channels.records_responses and pairs.engagement_probability is not null
