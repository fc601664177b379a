select
    rejections.hcp_id,
    rejections.channel,
    rejections.limit_id
from {{ ref('fct_rejections') }} as rejections
left join {{ ref('fct_constraint_prices') }} as limits on rejections.limit_id = limits.limit_id
where (rejections.limit_id is not null and limits.limit_id is null)
    or (rejections.reason_kind = 'price' and rejections.limit_id is null)
