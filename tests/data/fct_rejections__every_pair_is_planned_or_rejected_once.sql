with

pairs as (
    select
        hcps.hcp_id,
        channels.channel
    from {{ ref('stg_hcp_master') }} as hcps
    cross join {{ ref('stg_catalog') }} as channels
),

decided as (
    select hcp_id, channel from {{ ref('fct_recommendations') }}
    union all
    select hcp_id, channel from {{ ref('fct_rejections') }}
),

counted as (
    select
        hcp_id,
        channel,
        count(*) as decisions
    from decided
    group by hcp_id, channel
)

select
    coalesce(pairs.hcp_id, counted.hcp_id) as hcp_id,
    coalesce(pairs.channel, counted.channel) as channel,
    counted.decisions
from pairs
full outer join counted on pairs.hcp_id = counted.hcp_id and pairs.channel = counted.channel
where pairs.hcp_id is null or counted.decisions is null or counted.decisions != 1
