select
    hcp_id,
    channel,
    reason_kind,
    value_short
from {{ ref('fct_rejections') }}
where (reason_kind in ('rule', 'holdout')) != (value_short is null)
