select
    hcp_id,
    channel,
    expected_impact_low,
    expected_impact,
    expected_impact_high
from {{ ref('fct_hcp_channel_scores') }}
where expected_impact < expected_impact_low - 1e-9 * (1 + abs(expected_impact))
    or expected_impact > expected_impact_high + 1e-9 * (1 + abs(expected_impact))
