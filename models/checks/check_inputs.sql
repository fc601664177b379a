{#- Content of the input tables against the contract. Each call of problem_count is one check; the lists say which tables and columns it holds for. -#}
{%- set tolerance = switches()['values']['nba_kpi_lag_periods'] if execute else -1 %}
{%- set unknown_hcp = switches()['values']['unknown_hcp'] if execute else 'error' %}
{%- set required = {
    'hcp_master': ['hcp_id'],
    'engagement_history': ['hcp_id', 'channel', 'period_start', 'touches'],
    'kpi_metrics': ['hcp_id', 'period_start'],
    'engagement_action_catalog': ['channel', 'unit_cost', 'expected_uplift'],
    'current_plan': ['hcp_id', 'channel', 'touches'],
    'suggestion_feedback': ['recommendation_id'],
} %}
{%- set keys = {
    'hcp_master': ['hcp_id'],
    'engagement_history': ['hcp_id', 'channel', 'period_start'],
    'kpi_metrics': ['hcp_id', 'period_start'],
    'engagement_action_catalog': ['channel'],
    'current_plan': ['hcp_id', 'channel'],
    'suggestion_feedback': ['recommendation_id', 'status'],
} %}
with

hcp_master as (select * from {{ ref('base_hcp_master') }}),

engagement_history as (select * from {{ ref('base_engagement_history') }}),

kpi_metrics as (select * from {{ ref('base_kpi_metrics') }}),

engagement_action_catalog as (select * from {{ ref('base_engagement_action_catalog') }}),

current_plan as (select * from {{ ref('base_current_plan') }}),

suggestion_feedback as (select * from {{ ref('base_suggestion_feedback') }}),

starts as (
    select distinct cast(period_start as date) as period_start from engagement_history where period_start is not null
    union
    select distinct cast(period_start as date) as period_start from kpi_metrics where period_start is not null
),

-- the two grains compete: the one that fits more period starts is meant, the rest are the odd ones
first_days as (
    select period_start from starts where extract(day from period_start) = 1
),

usual as (
    select
        min(period_start) as usual_start,
        count(*) as starts
    from starts
    group by mod(abs({{ dbt.datediff("date '2001-01-01'", 'period_start', 'day') }}), 7)
),

usual_start as (
    select min(usual_start) as usual_start from usual where starts = (select max(starts) from usual)
),

same_weekdays as (
    select starts.period_start
    from starts
    cross join usual_start
    where mod(abs({{ dbt.datediff('usual_start.usual_start', 'starts.period_start', 'day') }}), 7) = 0
),

panel as (
    select
        panel.*,
        usual_start.usual_start
    from {{ ref('check_panel') }} as panel
    cross join usual_start
),

brands as (
    select distinct 'hcp_master' as table_name, brand_id from hcp_master where brand_id is not null
    union
    select distinct 'engagement_history' as table_name, brand_id from engagement_history where brand_id is not null
    union
    select distinct 'kpi_metrics' as table_name, brand_id from kpi_metrics where brand_id is not null
    union
    select distinct 'engagement_action_catalog' as table_name, brand_id from engagement_action_catalog where brand_id is not null
),

problems as (
    {{ no_problem_rows() }}
{%- for table in ['hcp_master', 'engagement_history', 'kpi_metrics', 'engagement_action_catalog'] %}
    union all
    {{ problem_count('empty_table', table, '', '(select 1 as one where not exists (select 1 from ' ~ table ~ ')) as found', 'cast(null as text)', 'is empty', 'load at least one row') }}
    union all
    {{ problem_count(
        'two_brands', table, 'brand_id',
        '(select distinct brand_id from ' ~ table ~ ' where brand_id is not null and (select count(distinct brand_id) from ' ~ table ~ ') > 1) as found',
        'brand_id', 'has several values, and only one brand can be planned at a time', 'load one brand'
    ) }}
{%- endfor %}
    union all
    {{ problem_count(
        'two_brands', 'kpi_metrics', 'brand_id',
        '(select distinct brand_id from brands where (select count(distinct brand_id) from brands) > 1 and not exists (select table_name from brands group by table_name having count(*) > 1)) as found',
        'brand_id', 'differs between the input tables, and only one brand can be planned at a time', 'load one brand'
    ) }}

{#- values that must be there -#}
{%- for table, columns in required.items() %}
    {%- for column in columns %}
    union all
    {{ problem_count(
        'null_value', table, column,
        table ~ ' where ' ~ column ~ ' is null' ~ (" or trim(" ~ column ~ ") = ''" if column in ['hcp_id', 'channel'] else ''),
        row_text(keys[table]), 'has no value', 'fill it in, or leave the rows out'
    ) }}
    {%- endfor %}
{%- endfor %}
{%- for table, column in [('hcp_master', 'hcp_id'), ('engagement_action_catalog', 'channel')] %}
    union all
    {{ problem_count(
        'duplicate_key', table, column,
        '(select ' ~ column ~ ' from ' ~ table ~ ' where ' ~ column ~ ' is not null group by ' ~ column ~ ' having count(*) > 1) as found',
        column, 'is not unique: these values have several rows each', 'keep one row per ' ~ column
    ) }}
{%- endfor %}

{#- relations -#}
{%- for table in ['engagement_history', 'kpi_metrics', 'current_plan'] %}
    {%- set is_dropped = unknown_hcp == 'drop' and table != 'current_plan' %}
    union all
    {{ problem_count(
        'unknown_hcp', table, 'hcp_id',
        table ~ ' where hcp_id is not null and not exists (select 1 from hcp_master where hcp_master.hcp_id = ' ~ table ~ '.hcp_id)',
        'hcp_id',
        'names HCPs that hcp_master lacks' ~ (', so these rows are dropped' if is_dropped else ''),
        'add them to hcp_master' ~ (' to use them' if is_dropped else ', or leave the rows out' if table == 'current_plan' else ', or set unknown_hcp: drop'),
        'warn' if is_dropped else 'error'
    ) }}
{%- endfor %}
{%- for table in ['engagement_history', 'current_plan'] %}
    union all
    {{ problem_count(
        'unknown_channel', table, 'channel',
        table ~ ' where channel is not null and not exists (select 1 from engagement_action_catalog where engagement_action_catalog.channel = ' ~ table ~ '.channel)',
        'channel', 'names channels that engagement_action_catalog lacks', 'add them to the catalogue, or correct the name'
    ) }}
{%- endfor %}

{#- numbers: table, column, whether it is a count -#}
{%- for table, column, is_count in [
    ('engagement_history', 'touches', true),
    ('engagement_history', 'responses', true),
    ('current_plan', 'touches', true),
    ('kpi_metrics', 'kpi_value', false),
    ('kpi_metrics', 'market_value', false),
    ('hcp_master', 'decile', false),
    ('engagement_action_catalog', 'unit_cost', false),
    ('engagement_action_catalog', 'expected_uplift', false),
    ('engagement_action_catalog', 'rep_minutes', false),
    ('engagement_action_catalog', 'max_touches', true),
] %}
    union all
    {{ problem_count('not_finite', table, column, table ~ ' where ' ~ column ~ ' is not null and ' ~ is_not_finite(column), row_text(keys[table]), 'is NaN or infinite', 'give a number, or leave it empty where that is allowed') }}
    {%- if is_count %}
    union all
    {{ problem_count('not_whole', table, column, table ~ ' where ' ~ column ~ ' <> floor(' ~ column ~ ')', row_text(keys[table] + [column]), 'is not a whole number', 'it is a count') }}
    {%- endif %}
    {#- sums over a long history must still fit -#}
    {%- set highest = '1000000' if is_count else '1000000000000' %}
    union all
    {{ problem_count('too_high', table, column, table ~ ' where ' ~ column ~ ' > ' ~ highest ~ ' or ' ~ column ~ ' < -' ~ highest, row_text(keys[table] + [column]), 'is beyond ' ~ highest, 'correct it: no sum of such numbers could be relied on') }}
    {%- if is_count or column in ['unit_cost', 'rep_minutes'] %}
        {%- set lowest = 1 if column == 'max_touches' else 0 %}
    union all
    {{ problem_count('too_low', table, column, table ~ ' where ' ~ column ~ ' < ' ~ lowest, row_text(keys[table] + [column]), 'is negative' if lowest == 0 else 'is below 1', 'give a value >= ' ~ lowest) }}
    {%- endif %}
{%- endfor %}
    union all
    {{ problem_count('responses_exceed_touches', 'engagement_history', 'responses', 'engagement_history where responses > touches', row_text(keys['engagement_history'] + ['touches', 'responses']), 'exceeds touches', 'a response answers a touch: correct one of the two') }}

{#- words -#}
    union all
    {{ problem_count('unknown_value', 'engagement_action_catalog', 'uplift_basis', "engagement_action_catalog where lower(uplift_basis) not in ('touch', 'response')", row_text(['channel', 'uplift_basis']), 'is neither touch nor response', 'give touch (the default) or response') }}
    union all
    {{ problem_count(
        'basis_without_responses', 'engagement_action_catalog', 'uplift_basis',
        "engagement_action_catalog where lower(uplift_basis) = 'response' and not exists (select 1 from engagement_history where engagement_history.channel = engagement_action_catalog.channel and engagement_history.responses is not null)",
        'channel', 'is response for channels without recorded responses', 'set it to touch, or load the responses'
    ) }}
    union all
    {{ problem_count('unknown_value', 'hcp_master', 'rep_access', "hcp_master where rep_access not in ('open', 'restricted', 'no_see')", 'rep_access', 'is none of open, restricted, no_see and counts as restricted', 'use one of the three words', 'warn') }}
    union all
    {{ problem_count('duplicate_row', 'current_plan', '', '(select hcp_id, channel from current_plan where hcp_id is not null and channel is not null group by hcp_id, channel having count(*) > 1) as found', row_text(['hcp_id', 'channel']), 'has several rows of one HCP and channel', 'keep one row each, with all its touches') }}
    union all
    {{ problem_count('unknown_value', 'suggestion_feedback', 'status', "suggestion_feedback where status is null or status not in ('accepted', 'dismissed', 'executed', 'expired')", "coalesce(status, 'null')", 'is none of accepted, dismissed, executed, expired', 'use one of the four words') }}

{#- time -#}
{%- for table in ['engagement_history', 'kpi_metrics'] %}
    {%- set other = 'the KPI does' if table == 'engagement_history' else 'engagement does' %}
    {%- set day = 'cast(' ~ table ~ '.period_start as date)' %}
    union all
    {{ problem_count('out_of_range', table, 'period_start', table ~ " where period_start < date '1900-01-01' or period_start > date '2200-12-31'", row_text(keys[table]), 'lies outside the years 1900 to 2200', 'correct the date, or leave the rows out') }}
    union all
    {{ problem_count('time_of_day', table, 'period_start', table ~ ' where cast(period_start as timestamp) <> cast(cast(period_start as date) as timestamp)', row_text(keys[table]), 'is not a date: it has a time of day', 'give whole days, cast to date in the table or in a view over it') }}
    union all
    {{ problem_count('known_too_early', table, 'known_at', table ~ ' where cast(known_at as date) < cast(period_start as date)', row_text(keys[table]), 'lies before the period that the row reports', 'a row can be known only after its period began: correct known_at') }}
    union all
    {{ problem_count(
        'mixed_grain', table, 'period_start',
        '(select distinct ' ~ day ~ ' as period_start from ' ~ table ~ " cross join panel where panel.grain = 'mixed' and " ~ table ~ '.period_start is not null'
        ~ ' and case when (select count(*) from first_days) > (select count(*) from same_weekdays) then extract(day from ' ~ table ~ '.period_start) <> 1'
        ~ ' else mod(abs(' ~ dbt.datediff('panel.usual_start', table ~ '.period_start', 'day') ~ '), 7) <> 0 end) as found',
        'cast(period_start as text)', 'mixes grains: these periods do not fit the others', 'make all period starts of both tables weekly (7 days apart) or monthly (the 1st)'
    ) }}
    union all
    {{ problem_count('trimmed', table, 'period_start', '(select ' ~ day ~ ' as period_start from ' ~ table ~ ' cross join panel where ' ~ day ~ ' < panel.panel_start) as found', 'cast(period_start as text)', 'starts before ' ~ other ~ ': these rows are trimmed to the common start', 'nothing, or load the earlier history of the other table', 'warn') }}
    union all
    {{ problem_count('after_cycle_start', table, 'period_start', '(select ' ~ day ~ ' as period_start from ' ~ table ~ ' cross join panel where ' ~ day ~ ' >= panel.cycle_start) as found', 'cast(period_start as text)', 'lies at or after nba_cycle_start: these rows are ignored', 'nothing; a past cycle is planned with what was known before it', 'warn') }}
{%- endfor %}
    union all
    {{ problem_count(
        'ambiguous_restatement', 'kpi_metrics', 'known_at',
        '(select hcp_id, period_start from kpi_metrics where hcp_id is not null and period_start is not null group by hcp_id, period_start, known_at having count(*) > 1) as found',
        row_text(keys['kpi_metrics']), 'does not tell versions apart: several rows of one HCP and period have the same known_at, or none', 'keep one row per HCP and period, or give each restatement its own known_at'
    ) }}
    union all
    {{ problem_count('cycle_start_off_grid', 'vars', 'nba_cycle_start', 'panel where cycle_start_offset <> 0', 'cast(cycle_start as text)', 'is not a period start of the panel', "choose a date on the panel's grid of periods") }}
    union all
    {{ problem_count('cycle_without_history', 'vars', 'nba_cycle_start', 'panel where cycle_start is not null and (engagement_last is null or kpi_last is null or panel_start >= cycle_start)', 'cast(cycle_start as text)', 'has no history of both tables before it', 'choose a later cycle, or load earlier history') }}
    union all
    {{ problem_count(
        'kpi_too_late', 'kpi_metrics', 'period_start',
        "panel where grain <> 'mixed' and kpi_lag_periods > " ~ (tolerance if tolerance >= 0 else "case when grain = 'month' then 2 else 6 end"),
        "'KPI ends ' || cast(kpi_last as text) || ', engagement ends ' || cast(engagement_last as text)",
        'ends more periods before engagement than nba_kpi_lag_periods allows', 'load the newer KPI periods, or raise nba_kpi_lag_periods if the KPI really is that late'
    ) }}
)

select * from problems
