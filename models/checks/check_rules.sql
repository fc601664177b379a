{#- Content of the rule tables against the contract. Each call of problem_count is one check; the lists say which tables and columns it holds for. -#}
{%- set hcp_columns = columns_of(ref('base_hcp_master')) %}
{%- set hcp_literals = [] %}
{%- for name in hcp_columns %}
    {%- do hcp_literals.append(text_literal(name)) %}
{%- endfor %}
{%- set attributes = switches()['values']['hcp_attributes'] if execute else [] %}
{%- set tables = {
    'rule_budget': ['channel', 'territory_id', 'max_cost'],
    'rule_channel_capacity': ['channel', 'territory_id', 'min_actions', 'max_actions'],
    'rule_rep_capacity': ['rep_id', 'territory_id', 'channel', 'max_minutes', 'max_actions'],
    'rule_contact_limit': ['channel', 'attribute', 'value', 'max_actions', 'window_days'],
    'rule_exclusion': ['hcp_id', 'channel', 'reason', 'valid_from', 'valid_to'],
    'rule_consent': ['hcp_id', 'channel', 'status', 'captured_at', 'expires_at'],
    'rule_access': ['rep_access', 'channel'],
    'rule_channel_window': ['channel', 'territory_id', 'available_from', 'available_to'],
    'rule_min_gap': ['last_channel', 'channel', 'min_days'],
    'rule_incompatible': ['channel_a', 'channel_b'],
    'rule_coverage_floor': ['territory_id', 'attribute', 'operator', 'value', 'channel', 'min_hcps', 'hardness'],
    'rule_holdout': ['arm', 'share', 'unit', 'redraw_cycles', 'resource_share'],
    'rule_override': ['hcp_id', 'channel', 'action', 'reason', 'valid_from', 'valid_to', 'created_by'],
    'feature_definition': ['feature_name', 'label', 'description', 'unit'],
} %}
with

hcp_master as (select * from {{ ref('base_hcp_master') }}),

catalog as (select * from {{ ref('base_engagement_action_catalog') }}),

{% for table in tables -%}
{{ table }} as (select * from {{ ref('base_' ~ table) }}),

{% endfor -%}
feature_definition_shipped as (select * from {{ ref('feature_definition_shipped') }}),

problems as (
    {{ no_problem_rows() }}
{#- attributes switched on as features -#}
{%- for attribute in attributes %}
    {%- if attribute not in hcp_columns %}
    union all
    {{ problem_row('unknown_attribute', 'error', 'vars', 'hcp_attributes', 'names a column that hcp_master lacks: ' ~ attribute, 'correct the name or add the column') }}
    {%- endif %}
    union all
    {{ problem_count(
        'attribute_is_feature', 'vars', 'hcp_attributes',
        '(select feature_name from feature_definition_shipped where feature_name = ' ~ text_literal(attribute) ~ ') as found',
        'feature_name', 'names a column that has the name of a feature', 'rename the column in hcp_master'
    ) }}
    union all
    {{ problem_count(
        'attribute_without_words', 'feature_definition', 'feature_name',
        '(select ' ~ text_literal(attribute) ~ ' as attribute where not exists (select 1 from feature_definition where feature_name = ' ~ text_literal(attribute) ~ ')) as found',
        'attribute', 'lacks words for an attribute that is switched on, so its column name is shown', 'add a row for it', 'warn'
    ) }}
{%- endfor %}
{%- for segment in switches()['values']['nba_fairness_segments'] if execute and segment | lower not in hcp_columns %}
    union all
    {{ problem_row('unknown_attribute', 'error', 'vars', 'nba_fairness_segments', 'names a column that hcp_master lacks: ' ~ segment, 'correct the name or add the column') }}
{%- endfor %}
{#- a floor may name whom it protects; a ceiling by such a column would give somebody less for what he is -#}
{%- for column in hcp_columns if column not in switches()['values']['nba_denied_except'] | map('lower') and denied_as(column) | trim not in ['', 'direct identifier'] %}
    union all
    {{ problem_count(
        'denied_attribute', 'rule_contact_limit', 'attribute', 'rule_contact_limit where lower(attribute) = ' ~ text_literal(column), row_text(tables['rule_contact_limit'][:4]),
        'names ' ~ column ~ ', which may be ' ~ (denied_as(column) | trim) ~ ' and may not decide who gets less',
        'leave the row out; rule_coverage_floor may name it, so that a group is reached. If it means something else, name it in nba_denied_except'
    ) }}
{%- endfor %}
{%- for table, columns in tables.items() %}
    {%- set example = row_text(columns[:4]) %}

    {#- null means all, and a blank that is taken for null would widen the rule to everybody -#}
    {%- for column in columns if column in ['hcp_id', 'territory_id', 'rep_id', 'rep_access', 'channel', 'last_channel', 'channel_a', 'channel_b', 'attribute', 'value'] %}
    union all
    {{ problem_count('blank_key', table, column, table ~ ' where trim(' ~ column ~ ") = ''", example, 'is blank text, which names nothing', 'fill it in, or make it null where the rule holds for all') }}
    {%- endfor %}

    {%- for column in columns if column in ['channel', 'last_channel', 'channel_a', 'channel_b'] %}
    union all
    {{ problem_count(
        'unknown_channel', table, column,
        table ~ ' where trim(' ~ column ~ ") <> '' and " ~ column ~ " <> '*' and not exists (select 1 from catalog where cast(catalog.channel as text) = " ~ table ~ '.' ~ column ~ ')',
        example,
        'names channels that engagement_action_catalog lacks',
        'correct the name, leave it empty for all channels, or add the channel to the catalogue'
    ) }}
    {%- endfor %}

    {#- a rule about somebody unknown binds nobody: consent lists, for one, usually cover more people than the panel -#}
    {%- for column in columns if column in ['hcp_id', 'territory_id', 'rep_id'] %}
    union all
    {{ problem_count(
        'unknown_' ~ column, table, column,
        table ~ ' where trim(' ~ column ~ ") <> '' and " ~ column ~ " <> '*' and not exists (select 1 from hcp_master where cast(hcp_master." ~ column ~ ' as text) = ' ~ table ~ '.' ~ column ~ ')',
        example,
        'names values that hcp_master lacks, so these rows have no effect',
        'nothing, or correct the name',
        'warn'
    ) }}
    {%- endfor %}

    {%- for column in columns if column in ['max_cost', 'min_actions', 'max_actions', 'max_minutes', 'min_hcps', 'window_days', 'min_days', 'share', 'resource_share', 'redraw_cycles'] %}
        {%- set lowest = 1 if column == 'window_days' else 0 %}
    union all
    {{ problem_count('negative', table, column, table ~ ' where ' ~ column ~ ' < ' ~ lowest, example, 'is below ' ~ lowest, 'give a number from ' ~ lowest ~ ' on') }}
    union all
    {{ problem_count('not_finite', table, column, table ~ ' where ' ~ column ~ ' is not null and ' ~ is_not_finite(column), example, 'is NaN or infinite', 'give a number') }}
    {%- endfor %}

    {%- for column in columns if column in ['window_days', 'min_days', 'redraw_cycles'] %}
    union all
    {{ problem_count('not_whole', table, column, table ~ ' where ' ~ column ~ ' <> floor(' ~ column ~ ')', example, 'is not a whole number', 'give a whole number') }}
    union all
    {{ problem_count('too_high', table, column, table ~ ' where ' ~ column ~ ' > 2147483647', example, 'is too large for a whole number', 'give at most 2147483647') }}
    {%- endfor %}

    {%- for column in columns if column in ['max_cost', 'min_hcps', 'min_days'] or table ~ '.' ~ column == 'rule_contact_limit.max_actions' %}
    union all
    {{ problem_count('null_limit', table, column, table ~ ' where ' ~ column ~ ' is null', example, 'has no value, so the row limits nothing', 'fill in the limit or leave the row out') }}
    {%- endfor %}

    {%- for first, last in [('valid_from', 'valid_to'), ('available_from', 'available_to')] if first in columns %}
    union all
    {{ problem_count('contradiction', table, first, table ~ ' where ' ~ first ~ ' > ' ~ last, example, 'lies after ' ~ last, 'swap or correct the two dates') }}
    {%- endfor %}

    {%- if 'attribute' in columns and hcp_columns %}
    union all
    {{ problem_count(
        'unknown_attribute', table, 'attribute',
        table ~ " where trim(attribute) <> '' and lower(attribute) not in (" ~ (hcp_literals | join(', ')) ~ ')',
        example, 'names columns that hcp_master lacks', 'correct the name or add the column'
    ) }}
    {%- endif %}

    {%- if table != 'feature_definition' %}
    union all
    {{ problem_count(
        'duplicate_row', table, '',
        '(select ' ~ (columns | join(', ')) ~ ' from ' ~ table ~ ' group by ' ~ (columns | join(', ')) ~ ' having count(*) > 1) as found',
        example, 'has exact duplicates', 'keep one of the equal rows'
    ) }}
    {%- endif %}
{%- endfor %}

{#- words: table, column, allowed words, whether it may be empty -#}
{%- for table, column, allowed, may_be_empty in [
    ('rule_consent', 'status', ['opt_in', 'opt_out'], false),
    ('rule_access', 'rep_access', ['open', 'restricted', 'no_see', '*'], true),
    ('rule_override', 'action', ['pin', 'forbid'], false),
    ('rule_coverage_floor', 'operator', ['=', '>=', 'in'], true),
    ('rule_coverage_floor', 'hardness', ['soft', 'hard'], true),
    ('rule_holdout', 'arm', ['control', 'explore'], false),
    ('rule_holdout', 'unit', ['hcp', 'hco', 'territory'], true),
] %}
    union all
    {{ problem_count(
        'unknown_value', table, column,
        table ~ ' where ' ~ ('' if may_be_empty else column ~ ' is null or ') ~ column ~ " not in ('" ~ (allowed | join("', '")) ~ "')",
        row_text(tables[table][:4]), 'is none of ' ~ (allowed | join(', ')), 'use one of these words'
    ) }}
{%- endfor %}

    union all
    {{ problem_count('null_limit', 'rule_channel_capacity', 'max_actions', 'rule_channel_capacity where min_actions is null and max_actions is null', row_text(['channel', 'territory_id']), 'and min_actions are both empty, so the row limits nothing', 'fill in one of the two or leave the row out') }}
    union all
    {{ problem_count('contradiction', 'rule_channel_capacity', 'min_actions', 'rule_channel_capacity where min_actions > max_actions', row_text(tables['rule_channel_capacity']), 'is above max_actions', 'lower min_actions or raise max_actions') }}
    union all
    {{ problem_count('null_limit', 'rule_rep_capacity', 'max_minutes', 'rule_rep_capacity where max_minutes is null and max_actions is null', row_text(['rep_id', 'territory_id', 'channel']), 'and max_actions are both empty, so the row limits nothing', 'fill in one of the two or leave the row out') }}
    union all
    {{ problem_count(
        'no_rep_minutes', 'rule_rep_capacity', 'max_minutes',
        "rule_rep_capacity where max_minutes is not null and not exists (select 1 from catalog where catalog.rep_minutes > 0 and (rule_rep_capacity.channel is null or rule_rep_capacity.channel in ('*', cast(catalog.channel as text))))",
        row_text(tables['rule_rep_capacity'][:4]), 'limits minutes of channels that all have 0 rep_minutes', 'fill in rep_minutes in the catalogue, or use max_actions'
    ) }}
    union all
    {{ problem_count('null_captured_at', 'rule_consent', 'captured_at', 'rule_consent where captured_at is null', row_text(['hcp_id', 'channel', 'status']), 'is empty and counts as opt_out', 'fill in when the consent was captured', 'warn') }}
    union all
    {{ problem_count('null_key', 'rule_override', 'hcp_id', "rule_override where action = 'pin' and (hcp_id is null or channel is null or hcp_id = '*' or channel = '*')", row_text(tables['rule_override'][:4]), 'or channel is empty or * in a pin', 'a pin names one HCP and one channel') }}
    union all
    {{ problem_count(
        'contradiction', 'rule_override', 'action',
        "rule_override as pinned inner join rule_override as forbidden on coalesce(forbidden.hcp_id, '*') in ('*', pinned.hcp_id) and coalesce(forbidden.channel, '*') in ('*', pinned.channel)"
        ~ " and pinned.action = 'pin' and forbidden.action = 'forbid'"
        ~ " and coalesce(pinned.valid_from, date '0001-01-01') <= coalesce(forbidden.valid_to, date '9999-12-31') and coalesce(forbidden.valid_from, date '0001-01-01') <= coalesce(pinned.valid_to, date '9999-12-31')",
        "'hcp_id=' || pinned.hcp_id || ' channel=' || pinned.channel", 'both pins and forbids the same HCP and channel on the same days', 'keep one of the two decisions'
    ) }}
    union all
    {{ problem_count('null_key', 'rule_incompatible', 'channel_a', 'rule_incompatible where channel_a is null or channel_b is null', row_text(['channel_a', 'channel_b']), 'or channel_b is empty', 'name both channels') }}
    union all
    {{ problem_count('contradiction', 'rule_incompatible', 'channel_b', 'rule_incompatible where channel_a = channel_b', row_text(['channel_a', 'channel_b']), 'equals channel_a: a channel cannot exclude itself', 'name two different channels, or use rule_contact_limit') }}
    union all
    {{ problem_count('null_key', 'rule_coverage_floor', 'operator', 'rule_coverage_floor where attribute is not null and operator is null', row_text(tables['rule_coverage_floor'][:4]), 'is empty although an attribute is given', 'use one of =, >=, in') }}
    union all
    {{ problem_count('not_a_number', 'rule_coverage_floor', 'value', "rule_coverage_floor where operator = '>=' and (value is null or " ~ is_not_number_text('value') ~ ')', row_text(tables['rule_coverage_floor'][:4]), 'is not a number, which >= needs', 'give a number, or use = or in') }}
    union all
    {{ problem_count('out_of_range', 'rule_holdout', 'share', 'rule_holdout where share is null or share > 1', row_text(tables['rule_holdout'][:4]), 'is empty or above 1', 'give a share of the units, from 0 to 1') }}
    union all
    {{ problem_count('out_of_range', 'rule_holdout', 'resource_share', "rule_holdout where resource_share > 1 or (resource_share is null and lower(arm) = 'explore')", row_text(tables['rule_holdout']), 'is above 1, or empty for the arm explore', 'give the share of every limit that exploring may use, from 0 to 1') }}
    union all
    {{ problem_count('out_of_range', 'rule_holdout', 'redraw_cycles', 'rule_holdout where redraw_cycles >= 0 and redraw_cycles < 1', row_text(tables['rule_holdout'][:4]), 'is below 1', 'give the cycles for which a draw is kept, 1 or more') }}
    union all
    {{ problem_count('duplicate_arm', 'rule_holdout', 'arm', '(select lower(arm) as arm from rule_holdout where arm is not null group by lower(arm) having count(*) > 1) as found', row_text(['arm']), 'has several rows', 'keep one row for each arm') }}
    union all
    {{ problem_count('contradiction', 'rule_holdout', 'share', '(select sum(share) as shares from rule_holdout having sum(share) > 1.000000001) as found', row_text(['shares']), 'of all arms together is above 1', 'lower the shares: who is neither control nor explores is planned for') }}
    union all
    {{ problem_count('contradiction', 'rule_holdout', 'unit', "(select min(coalesce(lower(unit), 'hcp')) as one, max(coalesce(lower(unit), 'hcp')) as other from rule_holdout having min(coalesce(lower(unit), 'hcp')) <> max(coalesce(lower(unit), 'hcp'))) as found", row_text(['one', 'other']), 'differs between the arms, which are drawn together', 'give both arms the same unit') }}
    union all
    {{ problem_count('contradiction', 'rule_holdout', 'redraw_cycles', '(select min(coalesce(redraw_cycles, 6)) as fewest, max(coalesce(redraw_cycles, 6)) as most from rule_holdout having min(coalesce(redraw_cycles, 6)) <> max(coalesce(redraw_cycles, 6))) as found', row_text(['fewest', 'most']), 'differs between the arms, which are drawn together (empty means 6)', 'give both arms the same number') }}
    union all
    {{ problem_count('null_key', 'feature_definition', 'feature_name', 'feature_definition where feature_name is null or label is null', row_text(['feature_name', 'label']), 'or label is empty', 'give both') }}
    union all
    {{ problem_count('duplicate_feature', 'feature_definition', 'feature_name', '(select feature_name from feature_definition where feature_name is not null group by feature_name having count(*) > 1) as found', 'feature_name', 'is not unique', 'keep one row per feature') }}
)

select * from problems
