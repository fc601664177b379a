select
    hcp_id,
    channel
from {{ ref('fct_rejections') }}
where reason_kind = 'price'
    and limit_id is null
