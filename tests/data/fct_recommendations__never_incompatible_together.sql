select
    first_actions.hcp_id,
    rules.channel_a,
    rules.channel_b
from {{ ref('stg_rule_incompatible') }} as rules
inner join {{ ref('fct_recommendations') }} as first_actions on rules.channel_a = first_actions.channel
inner join {{ ref('fct_recommendations') }} as second_actions
    on first_actions.hcp_id = second_actions.hcp_id and rules.channel_b = second_actions.channel
where rules.channel_a != rules.channel_b
