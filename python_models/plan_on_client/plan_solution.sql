{#- Takes the place of the Python model where `nba_plan_on: client` says so: the solution that `nba plan` brought for this very run. -#}
-- depends_on: {{ ref('input_fingerprint') }}
-- depends_on: {{ ref('engagement_model') }}
-- depends_on: {{ ref('score_impact') }}
-- depends_on: {{ ref('stg_hcp_master') }}
-- depends_on: {{ ref('stg_catalog') }}
-- depends_on: {{ ref('stg_engagement') }}
-- depends_on: {{ ref('stg_prior_actions') }}
-- depends_on: {{ ref('stg_published_plan') }}
-- depends_on: {{ ref('stg_suppressions') }}
-- depends_on: {{ ref('stg_rule_budget') }}
-- depends_on: {{ ref('stg_rule_channel_capacity') }}
-- depends_on: {{ ref('stg_rule_rep_capacity') }}
-- depends_on: {{ ref('stg_rule_contact_limit') }}
-- depends_on: {{ ref('stg_rule_exclusion') }}
-- depends_on: {{ ref('stg_rule_consent') }}
-- depends_on: {{ ref('stg_rule_access') }}
-- depends_on: {{ ref('stg_rule_channel_window') }}
-- depends_on: {{ ref('stg_rule_min_gap') }}
-- depends_on: {{ ref('stg_rule_incompatible') }}
-- depends_on: {{ ref('stg_rule_coverage_floor') }}
-- depends_on: {{ ref('stg_rule_override') }}
-- depends_on: {{ ref('stg_rule_holdout') }}
{%- do require_client_plan(ref('run_config')) %}

select
    kind,
    hcp_id,
    channel,
    rule,
    limit_id,
    detail,
    touches,
    plan_value,
    price_cost,
    cost,
    rep_minutes,
    priority,
    rep_priority,
    value_short,
    reason_kind,
    is_eligible,
    blocked_by,
    earliest_date,
    latest_date,
    item,
    field,
    number
from {{ room_relation('plan', 'client_solution') }}
