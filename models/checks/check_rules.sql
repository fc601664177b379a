{%- set hcp_columns = columns_of(ref('base_hcp_master')) %}
{%- set quoted = "'" ~ (hcp_columns | join("', '")) ~ "'" %}
with

hcp_master as (select * from {{ ref('base_hcp_master') }}),

catalog as (select * from {{ ref('base_engagement_action_catalog') }}),

rule_budget as (select * from {{ ref('base_rule_budget') }}),

rule_channel_capacity as (select * from {{ ref('base_rule_channel_capacity') }}),

rule_rep_capacity as (select * from {{ ref('base_rule_rep_capacity') }}),

rule_contact_limit as (select * from {{ ref('base_rule_contact_limit') }}),

rule_exclusion as (select * from {{ ref('base_rule_exclusion') }}),

rule_consent as (select * from {{ ref('base_rule_consent') }}),

rule_access as (select * from {{ ref('base_rule_access') }}),

rule_channel_window as (select * from {{ ref('base_rule_channel_window') }}),

rule_min_gap as (select * from {{ ref('base_rule_min_gap') }}),

rule_incompatible as (select * from {{ ref('base_rule_incompatible') }}),

rule_coverage_floor as (select * from {{ ref('base_rule_coverage_floor') }}),

rule_holdout as (select * from {{ ref('base_rule_holdout') }}),

rule_override as (select * from {{ ref('base_rule_override') }}),

feature_definition as (select * from {{ ref('base_feature_definition') }}),

problems as (
    {{ no_problem_rows() }}
    union all
{{ problem_count(
    'unknown_channel', 'rule_budget', 'channel',
    "rule_budget where channel is not null and channel <> '*' and not exists (select 1 from catalog where cast(catalog.channel as text) = cast(rule_budget.channel as text))",
    "'channel=' || coalesce(cast(channel as text), 'null') || ' ' || 'territory_id=' || coalesce(cast(territory_id as text), 'null') || ' ' || 'max_cost=' || coalesce(cast(max_cost as text), 'null')",
    "names channels that engagement_action_catalog lacks",
    "correct the name, leave it empty for all channels, or add the channel to the catalogue"
) }}
    union all
{{ problem_count(
    'unknown_territory', 'rule_budget', 'territory_id',
    "rule_budget where territory_id is not null and territory_id <> '*' and not exists (select 1 from hcp_master where cast(hcp_master.territory_id as text) = cast(rule_budget.territory_id as text))",
    "'channel=' || coalesce(cast(channel as text), 'null') || ' ' || 'territory_id=' || coalesce(cast(territory_id as text), 'null') || ' ' || 'max_cost=' || coalesce(cast(max_cost as text), 'null')",
    "names territories without any HCP: these rows bind nobody",
    "nothing, or correct the name",
    'warn'
) }}
    union all
{{ problem_count(
    'negative', 'rule_budget', 'max_cost',
    "rule_budget where max_cost < 0",
    "'channel=' || coalesce(cast(channel as text), 'null') || ' ' || 'territory_id=' || coalesce(cast(territory_id as text), 'null') || ' ' || 'max_cost=' || coalesce(cast(max_cost as text), 'null')",
    "is negative",
    "give a value >= 0"
) }}
    union all
{{ problem_count(
    'not_finite', 'rule_budget', 'max_cost',
    "rule_budget where max_cost is not null and " ~ is_not_finite("max_cost") ~ "",
    "'channel=' || coalesce(cast(channel as text), 'null') || ' ' || 'territory_id=' || coalesce(cast(territory_id as text), 'null') || ' ' || 'max_cost=' || coalesce(cast(max_cost as text), 'null')",
    "is NaN or infinite",
    "give a number"
) }}
    union all
{{ problem_count(
    'null_limit', 'rule_budget', 'max_cost',
    "rule_budget where max_cost is null",
    "'channel=' || coalesce(cast(channel as text), 'null') || ' ' || 'territory_id=' || coalesce(cast(territory_id as text), 'null') || ' ' || 'max_cost=' || coalesce(cast(max_cost as text), 'null')",
    "has no value, so the row limits nothing",
    "fill in the limit or leave the row out"
) }}
    union all
{{ problem_count(
    'duplicate_row', 'rule_budget', '',
    "(select channel, territory_id, max_cost from rule_budget group by channel, territory_id, max_cost having count(*) > 1) as found",
    "'channel=' || coalesce(cast(channel as text), 'null') || ' ' || 'territory_id=' || coalesce(cast(territory_id as text), 'null') || ' ' || 'max_cost=' || coalesce(cast(max_cost as text), 'null')",
    "has exact duplicates",
    "keep one of the equal rows"
) }}
    union all
{{ problem_count(
    'unknown_channel', 'rule_channel_capacity', 'channel',
    "rule_channel_capacity where channel is not null and channel <> '*' and not exists (select 1 from catalog where cast(catalog.channel as text) = cast(rule_channel_capacity.channel as text))",
    "'channel=' || coalesce(cast(channel as text), 'null') || ' ' || 'territory_id=' || coalesce(cast(territory_id as text), 'null') || ' ' || 'min_actions=' || coalesce(cast(min_actions as text), 'null') || ' ' || 'max_actions=' || coalesce(cast(max_actions as text), 'null')",
    "names channels that engagement_action_catalog lacks",
    "correct the name, leave it empty for all channels, or add the channel to the catalogue"
) }}
    union all
{{ problem_count(
    'unknown_territory', 'rule_channel_capacity', 'territory_id',
    "rule_channel_capacity where territory_id is not null and territory_id <> '*' and not exists (select 1 from hcp_master where cast(hcp_master.territory_id as text) = cast(rule_channel_capacity.territory_id as text))",
    "'channel=' || coalesce(cast(channel as text), 'null') || ' ' || 'territory_id=' || coalesce(cast(territory_id as text), 'null') || ' ' || 'min_actions=' || coalesce(cast(min_actions as text), 'null') || ' ' || 'max_actions=' || coalesce(cast(max_actions as text), 'null')",
    "names territories without any HCP: these rows bind nobody",
    "nothing, or correct the name",
    'warn'
) }}
    union all
{{ problem_count(
    'negative', 'rule_channel_capacity', 'min_actions',
    "rule_channel_capacity where min_actions < 0",
    "'channel=' || coalesce(cast(channel as text), 'null') || ' ' || 'territory_id=' || coalesce(cast(territory_id as text), 'null') || ' ' || 'min_actions=' || coalesce(cast(min_actions as text), 'null') || ' ' || 'max_actions=' || coalesce(cast(max_actions as text), 'null')",
    "is negative",
    "give a value >= 0, or leave it empty for none"
) }}
    union all
{{ problem_count(
    'not_finite', 'rule_channel_capacity', 'min_actions',
    "rule_channel_capacity where min_actions is not null and " ~ is_not_finite("min_actions") ~ "",
    "'channel=' || coalesce(cast(channel as text), 'null') || ' ' || 'territory_id=' || coalesce(cast(territory_id as text), 'null') || ' ' || 'min_actions=' || coalesce(cast(min_actions as text), 'null') || ' ' || 'max_actions=' || coalesce(cast(max_actions as text), 'null')",
    "is NaN or infinite",
    "give a number"
) }}
    union all
{{ problem_count(
    'negative', 'rule_channel_capacity', 'max_actions',
    "rule_channel_capacity where max_actions < 0",
    "'channel=' || coalesce(cast(channel as text), 'null') || ' ' || 'territory_id=' || coalesce(cast(territory_id as text), 'null') || ' ' || 'min_actions=' || coalesce(cast(min_actions as text), 'null') || ' ' || 'max_actions=' || coalesce(cast(max_actions as text), 'null')",
    "is negative",
    "give a value >= 0, or leave it empty for none"
) }}
    union all
{{ problem_count(
    'not_finite', 'rule_channel_capacity', 'max_actions',
    "rule_channel_capacity where max_actions is not null and " ~ is_not_finite("max_actions") ~ "",
    "'channel=' || coalesce(cast(channel as text), 'null') || ' ' || 'territory_id=' || coalesce(cast(territory_id as text), 'null') || ' ' || 'min_actions=' || coalesce(cast(min_actions as text), 'null') || ' ' || 'max_actions=' || coalesce(cast(max_actions as text), 'null')",
    "is NaN or infinite",
    "give a number"
) }}
    union all
{{ problem_count(
    'null_limit', 'rule_channel_capacity', 'max_actions',
    "rule_channel_capacity where min_actions is null and max_actions is null",
    "'channel=' || coalesce(cast(channel as text), 'null') || ' ' || 'territory_id=' || coalesce(cast(territory_id as text), 'null') || ' ' || 'min_actions=' || coalesce(cast(min_actions as text), 'null') || ' ' || 'max_actions=' || coalesce(cast(max_actions as text), 'null')",
    "and min_actions are both empty, so the row limits nothing",
    "fill in one of the two or leave the row out"
) }}
    union all
{{ problem_count(
    'contradiction', 'rule_channel_capacity', 'min_actions',
    "rule_channel_capacity where min_actions > max_actions",
    "'channel=' || coalesce(cast(channel as text), 'null') || ' ' || 'territory_id=' || coalesce(cast(territory_id as text), 'null') || ' ' || 'min_actions=' || coalesce(cast(min_actions as text), 'null') || ' ' || 'max_actions=' || coalesce(cast(max_actions as text), 'null')",
    "is above max_actions",
    "lower min_actions or raise max_actions"
) }}
    union all
{{ problem_count(
    'duplicate_row', 'rule_channel_capacity', '',
    "(select channel, territory_id, min_actions, max_actions from rule_channel_capacity group by channel, territory_id, min_actions, max_actions having count(*) > 1) as found",
    "'channel=' || coalesce(cast(channel as text), 'null') || ' ' || 'territory_id=' || coalesce(cast(territory_id as text), 'null') || ' ' || 'min_actions=' || coalesce(cast(min_actions as text), 'null') || ' ' || 'max_actions=' || coalesce(cast(max_actions as text), 'null')",
    "has exact duplicates",
    "keep one of the equal rows"
) }}
    union all
{{ problem_count(
    'unknown_channel', 'rule_rep_capacity', 'channel',
    "rule_rep_capacity where channel is not null and channel <> '*' and not exists (select 1 from catalog where cast(catalog.channel as text) = cast(rule_rep_capacity.channel as text))",
    "'rep_id=' || coalesce(cast(rep_id as text), 'null') || ' ' || 'territory_id=' || coalesce(cast(territory_id as text), 'null') || ' ' || 'channel=' || coalesce(cast(channel as text), 'null') || ' ' || 'max_minutes=' || coalesce(cast(max_minutes as text), 'null')",
    "names channels that engagement_action_catalog lacks",
    "correct the name, leave it empty for all channels, or add the channel to the catalogue"
) }}
    union all
{{ problem_count(
    'unknown_territory', 'rule_rep_capacity', 'territory_id',
    "rule_rep_capacity where territory_id is not null and territory_id <> '*' and not exists (select 1 from hcp_master where cast(hcp_master.territory_id as text) = cast(rule_rep_capacity.territory_id as text))",
    "'rep_id=' || coalesce(cast(rep_id as text), 'null') || ' ' || 'territory_id=' || coalesce(cast(territory_id as text), 'null') || ' ' || 'channel=' || coalesce(cast(channel as text), 'null') || ' ' || 'max_minutes=' || coalesce(cast(max_minutes as text), 'null')",
    "names territories without any HCP: these rows bind nobody",
    "nothing, or correct the name",
    'warn'
) }}
    union all
{{ problem_count(
    'unknown_rep', 'rule_rep_capacity', 'rep_id',
    "rule_rep_capacity where rep_id is not null and rep_id <> '*' and not exists (select 1 from hcp_master where cast(hcp_master.rep_id as text) = cast(rule_rep_capacity.rep_id as text))",
    "'rep_id=' || coalesce(cast(rep_id as text), 'null') || ' ' || 'territory_id=' || coalesce(cast(territory_id as text), 'null') || ' ' || 'channel=' || coalesce(cast(channel as text), 'null') || ' ' || 'max_minutes=' || coalesce(cast(max_minutes as text), 'null')",
    "names reps without any HCP: these rows bind nobody",
    "nothing, or correct the name",
    'warn'
) }}
    union all
{{ problem_count(
    'negative', 'rule_rep_capacity', 'max_actions',
    "rule_rep_capacity where max_actions < 0",
    "'rep_id=' || coalesce(cast(rep_id as text), 'null') || ' ' || 'territory_id=' || coalesce(cast(territory_id as text), 'null') || ' ' || 'channel=' || coalesce(cast(channel as text), 'null') || ' ' || 'max_minutes=' || coalesce(cast(max_minutes as text), 'null')",
    "is negative",
    "give a value >= 0, or leave it empty for none"
) }}
    union all
{{ problem_count(
    'not_finite', 'rule_rep_capacity', 'max_actions',
    "rule_rep_capacity where max_actions is not null and " ~ is_not_finite("max_actions") ~ "",
    "'rep_id=' || coalesce(cast(rep_id as text), 'null') || ' ' || 'territory_id=' || coalesce(cast(territory_id as text), 'null') || ' ' || 'channel=' || coalesce(cast(channel as text), 'null') || ' ' || 'max_minutes=' || coalesce(cast(max_minutes as text), 'null')",
    "is NaN or infinite",
    "give a number"
) }}
    union all
{{ problem_count(
    'negative', 'rule_rep_capacity', 'max_minutes',
    "rule_rep_capacity where max_minutes < 0",
    "'rep_id=' || coalesce(cast(rep_id as text), 'null') || ' ' || 'territory_id=' || coalesce(cast(territory_id as text), 'null') || ' ' || 'channel=' || coalesce(cast(channel as text), 'null') || ' ' || 'max_minutes=' || coalesce(cast(max_minutes as text), 'null')",
    "is negative",
    "give a value >= 0, or leave it empty for none"
) }}
    union all
{{ problem_count(
    'not_finite', 'rule_rep_capacity', 'max_minutes',
    "rule_rep_capacity where max_minutes is not null and " ~ is_not_finite("max_minutes") ~ "",
    "'rep_id=' || coalesce(cast(rep_id as text), 'null') || ' ' || 'territory_id=' || coalesce(cast(territory_id as text), 'null') || ' ' || 'channel=' || coalesce(cast(channel as text), 'null') || ' ' || 'max_minutes=' || coalesce(cast(max_minutes as text), 'null')",
    "is NaN or infinite",
    "give a number"
) }}
    union all
{{ problem_count(
    'null_limit', 'rule_rep_capacity', 'max_minutes',
    "rule_rep_capacity where max_minutes is null and max_actions is null",
    "'rep_id=' || coalesce(cast(rep_id as text), 'null') || ' ' || 'territory_id=' || coalesce(cast(territory_id as text), 'null') || ' ' || 'channel=' || coalesce(cast(channel as text), 'null') || ' ' || 'max_minutes=' || coalesce(cast(max_minutes as text), 'null')",
    "and max_actions are both empty, so the row limits nothing",
    "fill in one of the two or leave the row out"
) }}
    union all
{{ problem_count(
    'no_rep_minutes', 'rule_rep_capacity', 'max_minutes',
    "rule_rep_capacity where max_minutes is not null and not exists (select 1 from catalog where catalog.rep_minutes > 0 and (rule_rep_capacity.channel is null or rule_rep_capacity.channel = '*' or cast(catalog.channel as text) = cast(rule_rep_capacity.channel as text)))",
    "'rep_id=' || coalesce(cast(rep_id as text), 'null') || ' ' || 'territory_id=' || coalesce(cast(territory_id as text), 'null') || ' ' || 'channel=' || coalesce(cast(channel as text), 'null') || ' ' || 'max_minutes=' || coalesce(cast(max_minutes as text), 'null')",
    "limits minutes of channels that all have 0 rep_minutes",
    "fill in rep_minutes in the catalogue, or use max_actions"
) }}
    union all
{{ problem_count(
    'duplicate_row', 'rule_rep_capacity', '',
    "(select rep_id, territory_id, channel, max_minutes, max_actions from rule_rep_capacity group by rep_id, territory_id, channel, max_minutes, max_actions having count(*) > 1) as found",
    "'rep_id=' || coalesce(cast(rep_id as text), 'null') || ' ' || 'territory_id=' || coalesce(cast(territory_id as text), 'null') || ' ' || 'channel=' || coalesce(cast(channel as text), 'null') || ' ' || 'max_minutes=' || coalesce(cast(max_minutes as text), 'null')",
    "has exact duplicates",
    "keep one of the equal rows"
) }}
    union all
{{ problem_count(
    'unknown_channel', 'rule_contact_limit', 'channel',
    "rule_contact_limit where channel is not null and channel <> '*' and not exists (select 1 from catalog where cast(catalog.channel as text) = cast(rule_contact_limit.channel as text))",
    "'channel=' || coalesce(cast(channel as text), 'null') || ' ' || 'attribute=' || coalesce(cast(attribute as text), 'null') || ' ' || 'value=' || coalesce(cast(value as text), 'null') || ' ' || 'max_actions=' || coalesce(cast(max_actions as text), 'null')",
    "names channels that engagement_action_catalog lacks",
    "correct the name, leave it empty for all channels, or add the channel to the catalogue"
) }}
    union all
{{ problem_count(
    'negative', 'rule_contact_limit', 'max_actions',
    "rule_contact_limit where max_actions < 0",
    "'channel=' || coalesce(cast(channel as text), 'null') || ' ' || 'attribute=' || coalesce(cast(attribute as text), 'null') || ' ' || 'value=' || coalesce(cast(value as text), 'null') || ' ' || 'max_actions=' || coalesce(cast(max_actions as text), 'null')",
    "is negative",
    "give a value >= 0, or leave it empty for none"
) }}
    union all
{{ problem_count(
    'not_finite', 'rule_contact_limit', 'max_actions',
    "rule_contact_limit where max_actions is not null and " ~ is_not_finite("max_actions") ~ "",
    "'channel=' || coalesce(cast(channel as text), 'null') || ' ' || 'attribute=' || coalesce(cast(attribute as text), 'null') || ' ' || 'value=' || coalesce(cast(value as text), 'null') || ' ' || 'max_actions=' || coalesce(cast(max_actions as text), 'null')",
    "is NaN or infinite",
    "give a number"
) }}
    union all
{{ problem_count(
    'negative', 'rule_contact_limit', 'window_days',
    "rule_contact_limit where window_days < 1",
    "'channel=' || coalesce(cast(channel as text), 'null') || ' ' || 'attribute=' || coalesce(cast(attribute as text), 'null') || ' ' || 'value=' || coalesce(cast(value as text), 'null') || ' ' || 'max_actions=' || coalesce(cast(max_actions as text), 'null')",
    "is below 1",
    "give a number of days, or leave it empty for the cycle"
) }}
    union all
{{ problem_count(
    'null_limit', 'rule_contact_limit', 'max_actions',
    "rule_contact_limit where max_actions is null",
    "'channel=' || coalesce(cast(channel as text), 'null') || ' ' || 'attribute=' || coalesce(cast(attribute as text), 'null') || ' ' || 'value=' || coalesce(cast(value as text), 'null') || ' ' || 'max_actions=' || coalesce(cast(max_actions as text), 'null')",
    "has no value, so the row limits nothing",
    "fill in the limit or leave the row out"
) }}
    union all
{{ problem_count(
    'duplicate_row', 'rule_contact_limit', '',
    "(select channel, attribute, value, max_actions, window_days from rule_contact_limit group by channel, attribute, value, max_actions, window_days having count(*) > 1) as found",
    "'channel=' || coalesce(cast(channel as text), 'null') || ' ' || 'attribute=' || coalesce(cast(attribute as text), 'null') || ' ' || 'value=' || coalesce(cast(value as text), 'null') || ' ' || 'max_actions=' || coalesce(cast(max_actions as text), 'null')",
    "has exact duplicates",
    "keep one of the equal rows"
) }}
{%- if hcp_columns %}
    union all
{{ problem_count(
    'unknown_attribute', 'rule_contact_limit', 'attribute',
    "rule_contact_limit where attribute is not null and lower(attribute) not in (" ~ quoted ~ ")",
    "'channel=' || coalesce(cast(channel as text), 'null') || ' ' || 'attribute=' || coalesce(cast(attribute as text), 'null') || ' ' || 'value=' || coalesce(cast(value as text), 'null') || ' ' || 'max_actions=' || coalesce(cast(max_actions as text), 'null')",
    "names columns that hcp_master lacks",
    "correct the name or add the column"
) }}
{%- endif %}
    union all
{{ problem_count(
    'unknown_channel', 'rule_exclusion', 'channel',
    "rule_exclusion where channel is not null and channel <> '*' and not exists (select 1 from catalog where cast(catalog.channel as text) = cast(rule_exclusion.channel as text))",
    "'hcp_id=' || coalesce(cast(hcp_id as text), 'null') || ' ' || 'channel=' || coalesce(cast(channel as text), 'null') || ' ' || 'reason=' || coalesce(cast(reason as text), 'null') || ' ' || 'valid_from=' || coalesce(cast(valid_from as text), 'null')",
    "names channels that engagement_action_catalog lacks",
    "correct the name, leave it empty for all channels, or add the channel to the catalogue"
) }}
    union all
{{ problem_count(
    'unknown_hcp', 'rule_exclusion', 'hcp_id',
    "rule_exclusion where hcp_id is not null and hcp_id <> '*' and not exists (select 1 from hcp_master where cast(hcp_master.hcp_id as text) = cast(rule_exclusion.hcp_id as text))",
    "'hcp_id=' || coalesce(cast(hcp_id as text), 'null') || ' ' || 'channel=' || coalesce(cast(channel as text), 'null') || ' ' || 'reason=' || coalesce(cast(reason as text), 'null') || ' ' || 'valid_from=' || coalesce(cast(valid_from as text), 'null')",
    "names HCPs that hcp_master lacks: these rows have no effect",
    "nothing, or add the HCPs",
    'warn'
) }}
    union all
{{ problem_count(
    'contradiction', 'rule_exclusion', 'valid_from',
    "rule_exclusion where valid_from > valid_to",
    "'hcp_id=' || coalesce(cast(hcp_id as text), 'null') || ' ' || 'channel=' || coalesce(cast(channel as text), 'null') || ' ' || 'reason=' || coalesce(cast(reason as text), 'null') || ' ' || 'valid_from=' || coalesce(cast(valid_from as text), 'null')",
    "lies after valid_to",
    "swap or correct the two dates"
) }}
    union all
{{ problem_count(
    'duplicate_row', 'rule_exclusion', '',
    "(select hcp_id, channel, reason, valid_from, valid_to from rule_exclusion group by hcp_id, channel, reason, valid_from, valid_to having count(*) > 1) as found",
    "'hcp_id=' || coalesce(cast(hcp_id as text), 'null') || ' ' || 'channel=' || coalesce(cast(channel as text), 'null') || ' ' || 'reason=' || coalesce(cast(reason as text), 'null') || ' ' || 'valid_from=' || coalesce(cast(valid_from as text), 'null')",
    "has exact duplicates",
    "keep one of the equal rows"
) }}
    union all
{{ problem_count(
    'unknown_channel', 'rule_consent', 'channel',
    "rule_consent where channel is not null and channel <> '*' and not exists (select 1 from catalog where cast(catalog.channel as text) = cast(rule_consent.channel as text))",
    "'hcp_id=' || coalesce(cast(hcp_id as text), 'null') || ' ' || 'channel=' || coalesce(cast(channel as text), 'null') || ' ' || 'status=' || coalesce(cast(status as text), 'null') || ' ' || 'captured_at=' || coalesce(cast(captured_at as text), 'null')",
    "names channels that engagement_action_catalog lacks",
    "correct the name, leave it empty for all channels, or add the channel to the catalogue"
) }}
    union all
{{ problem_count(
    'unknown_hcp', 'rule_consent', 'hcp_id',
    "rule_consent where hcp_id is not null and hcp_id <> '*' and not exists (select 1 from hcp_master where cast(hcp_master.hcp_id as text) = cast(rule_consent.hcp_id as text))",
    "'hcp_id=' || coalesce(cast(hcp_id as text), 'null') || ' ' || 'channel=' || coalesce(cast(channel as text), 'null') || ' ' || 'status=' || coalesce(cast(status as text), 'null') || ' ' || 'captured_at=' || coalesce(cast(captured_at as text), 'null')",
    "names HCPs that hcp_master lacks: these rows have no effect",
    "nothing, or add the HCPs",
    'warn'
) }}
    union all
{{ problem_count(
    'unknown_value', 'rule_consent', 'status',
    "rule_consent where status is null or status not in ('opt_in', 'opt_out')",
    "'hcp_id=' || coalesce(cast(hcp_id as text), 'null') || ' ' || 'channel=' || coalesce(cast(channel as text), 'null') || ' ' || 'status=' || coalesce(cast(status as text), 'null') || ' ' || 'captured_at=' || coalesce(cast(captured_at as text), 'null')",
    "is neither opt_in nor opt_out",
    "use one of the two words"
) }}
    union all
{{ problem_count(
    'null_captured_at', 'rule_consent', 'captured_at',
    "rule_consent where captured_at is null",
    "'hcp_id=' || coalesce(cast(hcp_id as text), 'null') || ' ' || 'channel=' || coalesce(cast(channel as text), 'null') || ' ' || 'status=' || coalesce(cast(status as text), 'null') || ' ' || 'captured_at=' || coalesce(cast(captured_at as text), 'null')",
    "is empty and counts as opt_out",
    "fill in when the consent was captured",
    'warn'
) }}
    union all
{{ problem_count(
    'duplicate_row', 'rule_consent', '',
    "(select hcp_id, channel, status, captured_at, expires_at from rule_consent group by hcp_id, channel, status, captured_at, expires_at having count(*) > 1) as found",
    "'hcp_id=' || coalesce(cast(hcp_id as text), 'null') || ' ' || 'channel=' || coalesce(cast(channel as text), 'null') || ' ' || 'status=' || coalesce(cast(status as text), 'null') || ' ' || 'captured_at=' || coalesce(cast(captured_at as text), 'null')",
    "has exact duplicates",
    "keep one of the equal rows"
) }}
    union all
{{ problem_count(
    'unknown_channel', 'rule_access', 'channel',
    "rule_access where channel is not null and channel <> '*' and not exists (select 1 from catalog where cast(catalog.channel as text) = cast(rule_access.channel as text))",
    "'rep_access=' || coalesce(cast(rep_access as text), 'null') || ' ' || 'channel=' || coalesce(cast(channel as text), 'null')",
    "names channels that engagement_action_catalog lacks",
    "correct the name, leave it empty for all channels, or add the channel to the catalogue"
) }}
    union all
{{ problem_count(
    'unknown_value', 'rule_access', 'rep_access',
    "rule_access where rep_access is not null and rep_access not in ('open', 'restricted', 'no_see', '*')",
    "'rep_access=' || coalesce(cast(rep_access as text), 'null') || ' ' || 'channel=' || coalesce(cast(channel as text), 'null')",
    "is none of open, restricted, no_see",
    "use one of the three words"
) }}
    union all
{{ problem_count(
    'duplicate_row', 'rule_access', '',
    "(select rep_access, channel from rule_access group by rep_access, channel having count(*) > 1) as found",
    "'rep_access=' || coalesce(cast(rep_access as text), 'null') || ' ' || 'channel=' || coalesce(cast(channel as text), 'null')",
    "has exact duplicates",
    "keep one of the equal rows"
) }}
    union all
{{ problem_count(
    'unknown_channel', 'rule_channel_window', 'channel',
    "rule_channel_window where channel is not null and channel <> '*' and not exists (select 1 from catalog where cast(catalog.channel as text) = cast(rule_channel_window.channel as text))",
    "'channel=' || coalesce(cast(channel as text), 'null') || ' ' || 'territory_id=' || coalesce(cast(territory_id as text), 'null') || ' ' || 'available_from=' || coalesce(cast(available_from as text), 'null') || ' ' || 'available_to=' || coalesce(cast(available_to as text), 'null')",
    "names channels that engagement_action_catalog lacks",
    "correct the name, leave it empty for all channels, or add the channel to the catalogue"
) }}
    union all
{{ problem_count(
    'unknown_territory', 'rule_channel_window', 'territory_id',
    "rule_channel_window where territory_id is not null and territory_id <> '*' and not exists (select 1 from hcp_master where cast(hcp_master.territory_id as text) = cast(rule_channel_window.territory_id as text))",
    "'channel=' || coalesce(cast(channel as text), 'null') || ' ' || 'territory_id=' || coalesce(cast(territory_id as text), 'null') || ' ' || 'available_from=' || coalesce(cast(available_from as text), 'null') || ' ' || 'available_to=' || coalesce(cast(available_to as text), 'null')",
    "names territories without any HCP: these rows bind nobody",
    "nothing, or correct the name",
    'warn'
) }}
    union all
{{ problem_count(
    'contradiction', 'rule_channel_window', 'available_from',
    "rule_channel_window where available_from > available_to",
    "'channel=' || coalesce(cast(channel as text), 'null') || ' ' || 'territory_id=' || coalesce(cast(territory_id as text), 'null') || ' ' || 'available_from=' || coalesce(cast(available_from as text), 'null') || ' ' || 'available_to=' || coalesce(cast(available_to as text), 'null')",
    "lies after available_to",
    "swap or correct the two dates"
) }}
    union all
{{ problem_count(
    'duplicate_row', 'rule_channel_window', '',
    "(select channel, territory_id, available_from, available_to from rule_channel_window group by channel, territory_id, available_from, available_to having count(*) > 1) as found",
    "'channel=' || coalesce(cast(channel as text), 'null') || ' ' || 'territory_id=' || coalesce(cast(territory_id as text), 'null') || ' ' || 'available_from=' || coalesce(cast(available_from as text), 'null') || ' ' || 'available_to=' || coalesce(cast(available_to as text), 'null')",
    "has exact duplicates",
    "keep one of the equal rows"
) }}
    union all
{{ problem_count(
    'unknown_channel', 'rule_min_gap', 'last_channel',
    "rule_min_gap where last_channel is not null and last_channel <> '*' and not exists (select 1 from catalog where cast(catalog.channel as text) = cast(rule_min_gap.last_channel as text))",
    "'last_channel=' || coalesce(cast(last_channel as text), 'null') || ' ' || 'channel=' || coalesce(cast(channel as text), 'null') || ' ' || 'min_days=' || coalesce(cast(min_days as text), 'null')",
    "names channels that engagement_action_catalog lacks",
    "correct the name, leave it empty for all channels, or add the channel to the catalogue"
) }}
    union all
{{ problem_count(
    'unknown_channel', 'rule_min_gap', 'channel',
    "rule_min_gap where channel is not null and channel <> '*' and not exists (select 1 from catalog where cast(catalog.channel as text) = cast(rule_min_gap.channel as text))",
    "'last_channel=' || coalesce(cast(last_channel as text), 'null') || ' ' || 'channel=' || coalesce(cast(channel as text), 'null') || ' ' || 'min_days=' || coalesce(cast(min_days as text), 'null')",
    "names channels that engagement_action_catalog lacks",
    "correct the name, leave it empty for all channels, or add the channel to the catalogue"
) }}
    union all
{{ problem_count(
    'negative', 'rule_min_gap', 'min_days',
    "rule_min_gap where min_days < 0",
    "'last_channel=' || coalesce(cast(last_channel as text), 'null') || ' ' || 'channel=' || coalesce(cast(channel as text), 'null') || ' ' || 'min_days=' || coalesce(cast(min_days as text), 'null')",
    "is negative",
    "give a value >= 0"
) }}
    union all
{{ problem_count(
    'null_limit', 'rule_min_gap', 'min_days',
    "rule_min_gap where min_days is null",
    "'last_channel=' || coalesce(cast(last_channel as text), 'null') || ' ' || 'channel=' || coalesce(cast(channel as text), 'null') || ' ' || 'min_days=' || coalesce(cast(min_days as text), 'null')",
    "has no value, so the row limits nothing",
    "fill in the limit or leave the row out"
) }}
    union all
{{ problem_count(
    'duplicate_row', 'rule_min_gap', '',
    "(select last_channel, channel, min_days from rule_min_gap group by last_channel, channel, min_days having count(*) > 1) as found",
    "'last_channel=' || coalesce(cast(last_channel as text), 'null') || ' ' || 'channel=' || coalesce(cast(channel as text), 'null') || ' ' || 'min_days=' || coalesce(cast(min_days as text), 'null')",
    "has exact duplicates",
    "keep one of the equal rows"
) }}
    union all
{{ problem_count(
    'unknown_channel', 'rule_incompatible', 'channel_a',
    "rule_incompatible where channel_a is not null and channel_a <> '*' and not exists (select 1 from catalog where cast(catalog.channel as text) = cast(rule_incompatible.channel_a as text))",
    "'channel_a=' || coalesce(cast(channel_a as text), 'null') || ' ' || 'channel_b=' || coalesce(cast(channel_b as text), 'null')",
    "names channels that engagement_action_catalog lacks",
    "correct the name, leave it empty for all channels, or add the channel to the catalogue"
) }}
    union all
{{ problem_count(
    'unknown_channel', 'rule_incompatible', 'channel_b',
    "rule_incompatible where channel_b is not null and channel_b <> '*' and not exists (select 1 from catalog where cast(catalog.channel as text) = cast(rule_incompatible.channel_b as text))",
    "'channel_a=' || coalesce(cast(channel_a as text), 'null') || ' ' || 'channel_b=' || coalesce(cast(channel_b as text), 'null')",
    "names channels that engagement_action_catalog lacks",
    "correct the name, leave it empty for all channels, or add the channel to the catalogue"
) }}
    union all
{{ problem_count(
    'null_key', 'rule_incompatible', 'channel_a',
    "rule_incompatible where channel_a is null or channel_b is null",
    "'channel_a=' || coalesce(cast(channel_a as text), 'null') || ' ' || 'channel_b=' || coalesce(cast(channel_b as text), 'null')",
    "or channel_b is empty",
    "name both channels"
) }}
    union all
{{ problem_count(
    'contradiction', 'rule_incompatible', 'channel_b',
    "rule_incompatible where channel_a = channel_b",
    "'channel_a=' || coalesce(cast(channel_a as text), 'null') || ' ' || 'channel_b=' || coalesce(cast(channel_b as text), 'null')",
    "equals channel_a: a channel cannot exclude itself",
    "name two different channels, or use rule_contact_limit"
) }}
    union all
{{ problem_count(
    'duplicate_row', 'rule_incompatible', '',
    "(select channel_a, channel_b from rule_incompatible group by channel_a, channel_b having count(*) > 1) as found",
    "'channel_a=' || coalesce(cast(channel_a as text), 'null') || ' ' || 'channel_b=' || coalesce(cast(channel_b as text), 'null')",
    "has exact duplicates",
    "keep one of the equal rows"
) }}
    union all
{{ problem_count(
    'unknown_channel', 'rule_coverage_floor', 'channel',
    "rule_coverage_floor where channel is not null and channel <> '*' and not exists (select 1 from catalog where cast(catalog.channel as text) = cast(rule_coverage_floor.channel as text))",
    "'territory_id=' || coalesce(cast(territory_id as text), 'null') || ' ' || 'attribute=' || coalesce(cast(attribute as text), 'null') || ' ' || 'operator=' || coalesce(cast(operator as text), 'null') || ' ' || 'value=' || coalesce(cast(value as text), 'null')",
    "names channels that engagement_action_catalog lacks",
    "correct the name, leave it empty for all channels, or add the channel to the catalogue"
) }}
    union all
{{ problem_count(
    'unknown_territory', 'rule_coverage_floor', 'territory_id',
    "rule_coverage_floor where territory_id is not null and territory_id <> '*' and not exists (select 1 from hcp_master where cast(hcp_master.territory_id as text) = cast(rule_coverage_floor.territory_id as text))",
    "'territory_id=' || coalesce(cast(territory_id as text), 'null') || ' ' || 'attribute=' || coalesce(cast(attribute as text), 'null') || ' ' || 'operator=' || coalesce(cast(operator as text), 'null') || ' ' || 'value=' || coalesce(cast(value as text), 'null')",
    "names territories without any HCP: these rows bind nobody",
    "nothing, or correct the name",
    'warn'
) }}
    union all
{{ problem_count(
    'negative', 'rule_coverage_floor', 'min_hcps',
    "rule_coverage_floor where min_hcps < 0",
    "'territory_id=' || coalesce(cast(territory_id as text), 'null') || ' ' || 'attribute=' || coalesce(cast(attribute as text), 'null') || ' ' || 'operator=' || coalesce(cast(operator as text), 'null') || ' ' || 'value=' || coalesce(cast(value as text), 'null')",
    "is negative",
    "give a value >= 0"
) }}
    union all
{{ problem_count(
    'not_finite', 'rule_coverage_floor', 'min_hcps',
    "rule_coverage_floor where min_hcps is not null and " ~ is_not_finite("min_hcps") ~ "",
    "'territory_id=' || coalesce(cast(territory_id as text), 'null') || ' ' || 'attribute=' || coalesce(cast(attribute as text), 'null') || ' ' || 'operator=' || coalesce(cast(operator as text), 'null') || ' ' || 'value=' || coalesce(cast(value as text), 'null')",
    "is NaN or infinite",
    "give a number"
) }}
    union all
{{ problem_count(
    'null_limit', 'rule_coverage_floor', 'min_hcps',
    "rule_coverage_floor where min_hcps is null",
    "'territory_id=' || coalesce(cast(territory_id as text), 'null') || ' ' || 'attribute=' || coalesce(cast(attribute as text), 'null') || ' ' || 'operator=' || coalesce(cast(operator as text), 'null') || ' ' || 'value=' || coalesce(cast(value as text), 'null')",
    "has no value, so the row limits nothing",
    "fill in the limit or leave the row out"
) }}
    union all
{{ problem_count(
    'unknown_value', 'rule_coverage_floor', 'operator',
    "rule_coverage_floor where (attribute is not null and operator is null) or operator not in ('=', '>=', 'in')",
    "'territory_id=' || coalesce(cast(territory_id as text), 'null') || ' ' || 'attribute=' || coalesce(cast(attribute as text), 'null') || ' ' || 'operator=' || coalesce(cast(operator as text), 'null') || ' ' || 'value=' || coalesce(cast(value as text), 'null')",
    "is none of =, >=, in",
    "use one of the three operators"
) }}
    union all
{{ problem_count(
    'unknown_value', 'rule_coverage_floor', 'hardness',
    "rule_coverage_floor where hardness is not null and hardness not in ('soft', 'hard')",
    "'territory_id=' || coalesce(cast(territory_id as text), 'null') || ' ' || 'attribute=' || coalesce(cast(attribute as text), 'null') || ' ' || 'operator=' || coalesce(cast(operator as text), 'null') || ' ' || 'value=' || coalesce(cast(value as text), 'null')",
    "is neither soft nor hard",
    "use one of the two words"
) }}
    union all
{{ problem_count(
    'not_a_number', 'rule_coverage_floor', 'value',
    "rule_coverage_floor where operator = '>=' and (value is null or " ~ is_not_number_text("value") ~ ")",
    "'territory_id=' || coalesce(cast(territory_id as text), 'null') || ' ' || 'attribute=' || coalesce(cast(attribute as text), 'null') || ' ' || 'operator=' || coalesce(cast(operator as text), 'null') || ' ' || 'value=' || coalesce(cast(value as text), 'null')",
    "is not a number, which >= needs",
    "give a number, or use = or in"
) }}
    union all
{{ problem_count(
    'duplicate_row', 'rule_coverage_floor', '',
    "(select territory_id, attribute, operator, value, channel, min_hcps, hardness from rule_coverage_floor group by territory_id, attribute, operator, value, channel, min_hcps, hardness having count(*) > 1) as found",
    "'territory_id=' || coalesce(cast(territory_id as text), 'null') || ' ' || 'attribute=' || coalesce(cast(attribute as text), 'null') || ' ' || 'operator=' || coalesce(cast(operator as text), 'null') || ' ' || 'value=' || coalesce(cast(value as text), 'null')",
    "has exact duplicates",
    "keep one of the equal rows"
) }}
{%- if hcp_columns %}
    union all
{{ problem_count(
    'unknown_attribute', 'rule_coverage_floor', 'attribute',
    "rule_coverage_floor where attribute is not null and lower(attribute) not in (" ~ quoted ~ ")",
    "'territory_id=' || coalesce(cast(territory_id as text), 'null') || ' ' || 'attribute=' || coalesce(cast(attribute as text), 'null') || ' ' || 'operator=' || coalesce(cast(operator as text), 'null') || ' ' || 'value=' || coalesce(cast(value as text), 'null')",
    "names columns that hcp_master lacks",
    "correct the name or add the column"
) }}
{%- endif %}
    union all
{{ problem_count(
    'unsupported', 'rule_holdout', 'arm',
    "rule_holdout where 1 = 1",
    "'arm=' || coalesce(cast(arm as text), 'null') || ' ' || 'share=' || coalesce(cast(share as text), 'null') || ' ' || 'unit=' || coalesce(cast(unit as text), 'null') || ' ' || 'redraw_cycles=' || coalesce(cast(redraw_cycles as text), 'null')",
    "asks for control or explore arms, which this version does not draw",
    "leave rule_holdout empty"
) }}
    union all
{{ problem_count(
    'duplicate_row', 'rule_holdout', '',
    "(select arm, share, unit, redraw_cycles, resource_share from rule_holdout group by arm, share, unit, redraw_cycles, resource_share having count(*) > 1) as found",
    "'arm=' || coalesce(cast(arm as text), 'null') || ' ' || 'share=' || coalesce(cast(share as text), 'null') || ' ' || 'unit=' || coalesce(cast(unit as text), 'null') || ' ' || 'redraw_cycles=' || coalesce(cast(redraw_cycles as text), 'null')",
    "has exact duplicates",
    "keep one of the equal rows"
) }}
    union all
{{ problem_count(
    'unknown_channel', 'rule_override', 'channel',
    "rule_override where channel is not null and channel <> '*' and not exists (select 1 from catalog where cast(catalog.channel as text) = cast(rule_override.channel as text))",
    "'hcp_id=' || coalesce(cast(hcp_id as text), 'null') || ' ' || 'channel=' || coalesce(cast(channel as text), 'null') || ' ' || 'action=' || coalesce(cast(action as text), 'null') || ' ' || 'reason=' || coalesce(cast(reason as text), 'null')",
    "names channels that engagement_action_catalog lacks",
    "correct the name, leave it empty for all channels, or add the channel to the catalogue"
) }}
    union all
{{ problem_count(
    'unknown_hcp', 'rule_override', 'hcp_id',
    "rule_override where hcp_id is not null and hcp_id <> '*' and not exists (select 1 from hcp_master where cast(hcp_master.hcp_id as text) = cast(rule_override.hcp_id as text))",
    "'hcp_id=' || coalesce(cast(hcp_id as text), 'null') || ' ' || 'channel=' || coalesce(cast(channel as text), 'null') || ' ' || 'action=' || coalesce(cast(action as text), 'null') || ' ' || 'reason=' || coalesce(cast(reason as text), 'null')",
    "names HCPs that hcp_master lacks: these rows have no effect",
    "nothing, or add the HCPs",
    'warn'
) }}
    union all
{{ problem_count(
    'contradiction', 'rule_override', 'valid_from',
    "rule_override where valid_from > valid_to",
    "'hcp_id=' || coalesce(cast(hcp_id as text), 'null') || ' ' || 'channel=' || coalesce(cast(channel as text), 'null') || ' ' || 'action=' || coalesce(cast(action as text), 'null') || ' ' || 'reason=' || coalesce(cast(reason as text), 'null')",
    "lies after valid_to",
    "swap or correct the two dates"
) }}
    union all
{{ problem_count(
    'unknown_value', 'rule_override', 'action',
    "rule_override where action is null or action not in ('pin', 'forbid')",
    "'hcp_id=' || coalesce(cast(hcp_id as text), 'null') || ' ' || 'channel=' || coalesce(cast(channel as text), 'null') || ' ' || 'action=' || coalesce(cast(action as text), 'null') || ' ' || 'reason=' || coalesce(cast(reason as text), 'null')",
    "is neither pin nor forbid",
    "use one of the two words"
) }}
    union all
{{ problem_count(
    'null_key', 'rule_override', 'hcp_id',
    "rule_override where action = 'pin' and (hcp_id is null or channel is null)",
    "'hcp_id=' || coalesce(cast(hcp_id as text), 'null') || ' ' || 'channel=' || coalesce(cast(channel as text), 'null') || ' ' || 'action=' || coalesce(cast(action as text), 'null') || ' ' || 'reason=' || coalesce(cast(reason as text), 'null')",
    "or channel is empty in a pin",
    "a pin names one HCP and one channel"
) }}
    union all
{{ problem_count(
    'contradiction', 'rule_override', 'action',
    "rule_override as pinned inner join rule_override as forbidden on pinned.hcp_id = coalesce(forbidden.hcp_id, pinned.hcp_id) and pinned.channel = coalesce(forbidden.channel, pinned.channel) where pinned.action = 'pin' and forbidden.action = 'forbid' and coalesce(pinned.valid_from, date '0001-01-01') <= coalesce(forbidden.valid_to, date '9999-12-31') and coalesce(forbidden.valid_from, date '0001-01-01') <= coalesce(pinned.valid_to, date '9999-12-31')",
    "'hcp_id=' || pinned.hcp_id || ' channel=' || pinned.channel",
    "both pins and forbids the same HCP and channel on the same days",
    "keep one of the two decisions"
) }}
    union all
{{ problem_count(
    'duplicate_row', 'rule_override', '',
    "(select hcp_id, channel, action, reason, valid_from, valid_to, created_by from rule_override group by hcp_id, channel, action, reason, valid_from, valid_to, created_by having count(*) > 1) as found",
    "'hcp_id=' || coalesce(cast(hcp_id as text), 'null') || ' ' || 'channel=' || coalesce(cast(channel as text), 'null') || ' ' || 'action=' || coalesce(cast(action as text), 'null') || ' ' || 'reason=' || coalesce(cast(reason as text), 'null')",
    "has exact duplicates",
    "keep one of the equal rows"
) }}
    union all
{{ problem_count(
    'null_key', 'feature_definition', 'feature_name',
    "feature_definition where feature_name is null or label is null",
    "'feature_name=' || coalesce(cast(feature_name as text), 'null') || ' ' || 'label=' || coalesce(cast(label as text), 'null') || ' ' || 'description=' || coalesce(cast(description as text), 'null') || ' ' || 'unit=' || coalesce(cast(unit as text), 'null')",
    "or label is empty",
    "give both"
) }}
    union all
{{ problem_count(
    'duplicate_feature', 'feature_definition', 'feature_name',
    "(select feature_name from feature_definition where feature_name is not null group by feature_name having count(*) > 1) as found",
    "feature_name",
    "is not unique",
    "keep one row per feature"
) }}
)

select * from problems
