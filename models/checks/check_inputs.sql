with

hcp_master as (select * from {{ ref('base_hcp_master') }}),

engagement_history as (select * from {{ ref('base_engagement_history') }}),

kpi_metrics as (select * from {{ ref('base_kpi_metrics') }}),

catalog as (select * from {{ ref('base_engagement_action_catalog') }}),

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
    select distinct 'hcp_master' as table_name, cast(brand_id as text) as brand_id from hcp_master where brand_id is not null
    union
    select distinct 'engagement_history' as table_name, cast(brand_id as text) as brand_id from engagement_history where brand_id is not null
    union
    select distinct 'kpi_metrics' as table_name, cast(brand_id as text) as brand_id from kpi_metrics where brand_id is not null
    union
    select distinct 'engagement_action_catalog' as table_name, cast(brand_id as text) as brand_id from catalog where brand_id is not null
),

problems as (
    {{ no_problem_rows() }}
    union all
{{ problem_count(
    'empty_table', 'hcp_master', '',
    "(select 1 as one where not exists (select 1 from hcp_master)) as found",
    "cast(null as text)",
    "is empty",
    "load at least one row"
) }}
    union all
{{ problem_count(
    'empty_table', 'engagement_history', '',
    "(select 1 as one where not exists (select 1 from engagement_history)) as found",
    "cast(null as text)",
    "is empty",
    "load at least one row"
) }}
    union all
{{ problem_count(
    'empty_table', 'kpi_metrics', '',
    "(select 1 as one where not exists (select 1 from kpi_metrics)) as found",
    "cast(null as text)",
    "is empty",
    "load at least one row"
) }}
    union all
{{ problem_count(
    'empty_table', 'engagement_action_catalog', '',
    "(select 1 as one where not exists (select 1 from catalog)) as found",
    "cast(null as text)",
    "is empty",
    "load at least one row"
) }}
    union all
{{ problem_count(
    'null_key', 'hcp_master', 'hcp_id',
    "hcp_master where hcp_id is null or trim(cast(hcp_id as text)) = ''",
    "'full_name=' || coalesce(cast(full_name as text), 'null')",
    "has no value",
    "fill it in, or leave the rows out"
) }}
    union all
{{ problem_count(
    'null_key', 'engagement_history', 'hcp_id',
    "engagement_history where hcp_id is null or trim(cast(hcp_id as text)) = ''",
    "'hcp_id=' || coalesce(cast(hcp_id as text), 'null') || ' ' || 'channel=' || coalesce(cast(channel as text), 'null') || ' ' || 'period_start=' || coalesce(cast(period_start as text), 'null')",
    "has no value",
    "fill it in, or leave the rows out"
) }}
    union all
{{ problem_count(
    'null_key', 'engagement_history', 'channel',
    "engagement_history where channel is null or trim(cast(channel as text)) = ''",
    "'hcp_id=' || coalesce(cast(hcp_id as text), 'null') || ' ' || 'channel=' || coalesce(cast(channel as text), 'null') || ' ' || 'period_start=' || coalesce(cast(period_start as text), 'null')",
    "has no value",
    "fill it in, or leave the rows out"
) }}
    union all
{{ problem_count(
    'null_key', 'engagement_history', 'period_start',
    "engagement_history where period_start is null",
    "'hcp_id=' || coalesce(cast(hcp_id as text), 'null') || ' ' || 'channel=' || coalesce(cast(channel as text), 'null') || ' ' || 'period_start=' || coalesce(cast(period_start as text), 'null')",
    "has no value",
    "fill it in, or leave the rows out"
) }}
    union all
{{ problem_count(
    'null_key', 'engagement_history', 'touches',
    "engagement_history where touches is null",
    "'hcp_id=' || coalesce(cast(hcp_id as text), 'null') || ' ' || 'channel=' || coalesce(cast(channel as text), 'null') || ' ' || 'period_start=' || coalesce(cast(period_start as text), 'null')",
    "has no value",
    "fill it in, or leave the rows out"
) }}
    union all
{{ problem_count(
    'null_key', 'kpi_metrics', 'hcp_id',
    "kpi_metrics where hcp_id is null or trim(cast(hcp_id as text)) = ''",
    "'hcp_id=' || coalesce(cast(hcp_id as text), 'null') || ' ' || 'period_start=' || coalesce(cast(period_start as text), 'null')",
    "has no value",
    "fill it in, or leave the rows out"
) }}
    union all
{{ problem_count(
    'null_key', 'kpi_metrics', 'period_start',
    "kpi_metrics where period_start is null",
    "'hcp_id=' || coalesce(cast(hcp_id as text), 'null') || ' ' || 'period_start=' || coalesce(cast(period_start as text), 'null')",
    "has no value",
    "fill it in, or leave the rows out"
) }}
    union all
{{ problem_count(
    'null_key', 'engagement_action_catalog', 'channel',
    "catalog where channel is null or trim(cast(channel as text)) = ''",
    "'channel=' || coalesce(cast(channel as text), 'null')",
    "has no value",
    "fill it in, or leave the rows out"
) }}
    union all
{{ problem_count(
    'null_key', 'engagement_action_catalog', 'unit_cost',
    "catalog where unit_cost is null",
    "'channel=' || coalesce(cast(channel as text), 'null')",
    "has no value",
    "fill it in, or leave the rows out"
) }}
    union all
{{ problem_count(
    'null_key', 'engagement_action_catalog', 'expected_uplift',
    "catalog where expected_uplift is null",
    "'channel=' || coalesce(cast(channel as text), 'null')",
    "has no value",
    "fill it in, or leave the rows out"
) }}
    union all
{{ problem_count(
    'null_key', 'current_plan', 'hcp_id',
    "current_plan where hcp_id is null or trim(cast(hcp_id as text)) = ''",
    "'hcp_id=' || coalesce(cast(hcp_id as text), 'null') || ' ' || 'channel=' || coalesce(cast(channel as text), 'null')",
    "has no value",
    "fill it in, or leave the rows out"
) }}
    union all
{{ problem_count(
    'null_key', 'current_plan', 'channel',
    "current_plan where channel is null or trim(cast(channel as text)) = ''",
    "'hcp_id=' || coalesce(cast(hcp_id as text), 'null') || ' ' || 'channel=' || coalesce(cast(channel as text), 'null')",
    "has no value",
    "fill it in, or leave the rows out"
) }}
    union all
{{ problem_count(
    'null_key', 'current_plan', 'touches',
    "current_plan where touches is null",
    "'hcp_id=' || coalesce(cast(hcp_id as text), 'null') || ' ' || 'channel=' || coalesce(cast(channel as text), 'null')",
    "has no value",
    "fill it in, or leave the rows out"
) }}
    union all
{{ problem_count(
    'duplicate_hcp', 'hcp_master', 'hcp_id',
    "(select cast(hcp_id as text) as hcp_id from hcp_master where hcp_id is not null group by cast(hcp_id as text) having count(*) > 1) as found",
    "hcp_id",
    "is not unique: these HCPs have several rows",
    "keep one row per HCP"
) }}
    union all
{{ problem_count(
    'duplicate_channel', 'engagement_action_catalog', 'channel',
    "(select cast(channel as text) as channel from catalog where channel is not null group by cast(channel as text) having count(*) > 1) as found",
    "channel",
    "is not unique: these channels have several rows",
    "keep one row per channel"
) }}
{%- if switches()['values']['unknown_hcp'] == 'error' or not execute %}
    union all
{{ problem_count(
    'unknown_hcp', 'engagement_history', 'hcp_id',
    "engagement_history where hcp_id is not null and not exists (select 1 from hcp_master where cast(hcp_master.hcp_id as text) = cast(engagement_history.hcp_id as text))",
    "cast(hcp_id as text)",
    "names HCPs that hcp_master lacks",
    "add them to hcp_master, or set unknown_hcp: drop"
) }}
{%- else %}
    union all
{{ problem_count(
    'unknown_hcp', 'engagement_history', 'hcp_id',
    "engagement_history where hcp_id is not null and not exists (select 1 from hcp_master where cast(hcp_master.hcp_id as text) = cast(engagement_history.hcp_id as text))",
    "cast(hcp_id as text)",
    "names HCPs that hcp_master lacks, so these rows are dropped",
    "add them to hcp_master to use them",
    'warn'
) }}
{%- endif %}
{%- if switches()['values']['unknown_hcp'] == 'error' or not execute %}
    union all
{{ problem_count(
    'unknown_hcp', 'kpi_metrics', 'hcp_id',
    "kpi_metrics where hcp_id is not null and not exists (select 1 from hcp_master where cast(hcp_master.hcp_id as text) = cast(kpi_metrics.hcp_id as text))",
    "cast(hcp_id as text)",
    "names HCPs that hcp_master lacks",
    "add them to hcp_master, or set unknown_hcp: drop"
) }}
{%- else %}
    union all
{{ problem_count(
    'unknown_hcp', 'kpi_metrics', 'hcp_id',
    "kpi_metrics where hcp_id is not null and not exists (select 1 from hcp_master where cast(hcp_master.hcp_id as text) = cast(kpi_metrics.hcp_id as text))",
    "cast(hcp_id as text)",
    "names HCPs that hcp_master lacks, so these rows are dropped",
    "add them to hcp_master to use them",
    'warn'
) }}
{%- endif %}
{%- if switches()['values']['unknown_hcp'] == 'error' or not execute %}
    union all
{{ problem_count(
    'unknown_hcp', 'current_plan', 'hcp_id',
    "current_plan where hcp_id is not null and not exists (select 1 from hcp_master where cast(hcp_master.hcp_id as text) = cast(current_plan.hcp_id as text))",
    "cast(hcp_id as text)",
    "names HCPs that hcp_master lacks",
    "add them to hcp_master, or set unknown_hcp: drop"
) }}
{%- else %}
    union all
{{ problem_count(
    'unknown_hcp', 'current_plan', 'hcp_id',
    "current_plan where hcp_id is not null and not exists (select 1 from hcp_master where cast(hcp_master.hcp_id as text) = cast(current_plan.hcp_id as text))",
    "cast(hcp_id as text)",
    "names HCPs that hcp_master lacks, so these rows are dropped",
    "add them to hcp_master to use them",
    'warn'
) }}
{%- endif %}
    union all
{{ problem_count(
    'unknown_channel', 'engagement_history', 'channel',
    "engagement_history where channel is not null and not exists (select 1 from catalog where cast(catalog.channel as text) = cast(engagement_history.channel as text))",
    "cast(channel as text)",
    "names channels that engagement_action_catalog lacks",
    "add them to the catalogue, or correct the name"
) }}
    union all
{{ problem_count(
    'unknown_channel', 'current_plan', 'channel',
    "current_plan where channel is not null and not exists (select 1 from catalog where cast(catalog.channel as text) = cast(current_plan.channel as text))",
    "cast(channel as text)",
    "names channels that engagement_action_catalog lacks",
    "add them to the catalogue, or correct the name"
) }}
    union all
{{ problem_count(
    'negative', 'engagement_history', 'touches',
    "engagement_history where touches < 0",
    "'hcp_id=' || cast(hcp_id as text) || ' channel=' || cast(channel as text) || ' period_start=' || cast(cast(period_start as date) as text)",
    "is negative",
    "touches are counts >= 0"
) }}
    union all
{{ problem_count(
    'not_whole', 'engagement_history', 'touches',
    "engagement_history where touches is not null and (" ~ is_not_finite('touches') ~ " or touches <> floor(touches))",
    "'hcp_id=' || cast(hcp_id as text) || ' channel=' || cast(channel as text) || ' period_start=' || cast(cast(period_start as date) as text)",
    "is not a whole number",
    "touches are counts"
) }}
    union all
{{ problem_count(
    'negative', 'current_plan', 'touches',
    "current_plan where touches < 0",
    "'hcp_id=' || cast(hcp_id as text) || ' channel=' || cast(channel as text)",
    "is negative",
    "touches are counts >= 0"
) }}
    union all
{{ problem_count(
    'not_whole', 'current_plan', 'touches',
    "current_plan where touches is not null and (" ~ is_not_finite('touches') ~ " or touches <> floor(touches))",
    "'hcp_id=' || cast(hcp_id as text) || ' channel=' || cast(channel as text)",
    "is not a whole number",
    "touches are counts"
) }}
    union all
{{ problem_count(
    'negative', 'engagement_history', 'responses',
    "engagement_history where responses < 0",
    "'hcp_id=' || cast(hcp_id as text) || ' channel=' || cast(channel as text) || ' period_start=' || cast(cast(period_start as date) as text)",
    "is negative",
    "responses are counts from 0 to touches, or null where not recorded"
) }}
    union all
{{ problem_count(
    'not_whole', 'engagement_history', 'responses',
    "engagement_history where responses is not null and (" ~ is_not_finite('responses') ~ " or responses <> floor(responses))",
    "'hcp_id=' || cast(hcp_id as text) || ' channel=' || cast(channel as text) || ' period_start=' || cast(cast(period_start as date) as text)",
    "is not a whole number",
    "responses are counts"
) }}
    union all
{{ problem_count(
    'responses_exceed_touches', 'engagement_history', 'responses',
    "engagement_history where responses > touches",
    "'hcp_id=' || cast(hcp_id as text) || ' channel=' || cast(channel as text) || ' period_start=' || cast(cast(period_start as date) as text) || ' touches=' || cast(touches as text) || ' responses=' || cast(responses as text)",
    "exceeds touches",
    "a response answers a touch: correct one of the two"
) }}
    union all
{{ problem_count(
    'not_finite', 'kpi_metrics', 'kpi_value',
    "kpi_metrics where kpi_value is not null and " ~ is_not_finite('kpi_value') ~ "",
    "'hcp_id=' || cast(hcp_id as text) || ' period_start=' || cast(cast(period_start as date) as text)",
    "is NaN or infinite",
    "give a number, or null where unknown"
) }}
    union all
{{ problem_count(
    'not_finite', 'kpi_metrics', 'market_value',
    "kpi_metrics where market_value is not null and " ~ is_not_finite('market_value') ~ "",
    "'hcp_id=' || cast(hcp_id as text) || ' period_start=' || cast(cast(period_start as date) as text)",
    "is NaN or infinite",
    "give a number, or null where unknown"
) }}
    union all
{{ problem_count(
    'not_finite', 'engagement_action_catalog', 'unit_cost',
    "catalog where unit_cost is not null and " ~ is_not_finite('unit_cost') ~ "",
    "cast(channel as text)",
    "is NaN or infinite",
    "give a number"
) }}
    union all
{{ problem_count(
    'not_finite', 'engagement_action_catalog', 'expected_uplift',
    "catalog where expected_uplift is not null and " ~ is_not_finite('expected_uplift') ~ "",
    "cast(channel as text)",
    "is NaN or infinite",
    "give a number"
) }}
    union all
{{ problem_count(
    'not_finite', 'engagement_action_catalog', 'rep_minutes',
    "catalog where rep_minutes is not null and " ~ is_not_finite('rep_minutes') ~ "",
    "cast(channel as text)",
    "is NaN or infinite",
    "give a number"
) }}
    union all
{{ problem_count(
    'not_finite', 'hcp_master', 'decile',
    "hcp_master where decile is not null and " ~ is_not_finite('decile') ~ "",
    "cast(hcp_id as text)",
    "is NaN or infinite",
    "give a number, or null where unknown"
) }}
    union all
{{ problem_count(
    'negative', 'engagement_action_catalog', 'unit_cost',
    "catalog where unit_cost < 0",
    "cast(channel as text) || '=' || cast(unit_cost as text)",
    "is negative",
    "give a value >= 0"
) }}
    union all
{{ problem_count(
    'negative', 'engagement_action_catalog', 'rep_minutes',
    "catalog where rep_minutes < 0",
    "cast(channel as text) || '=' || cast(rep_minutes as text)",
    "is negative",
    "give a value >= 0"
) }}
    union all
{{ problem_count(
    'out_of_range', 'engagement_action_catalog', 'max_touches',
    "catalog where max_touches < 1 or max_touches <> floor(max_touches)",
    "cast(channel as text) || '=' || cast(max_touches as text)",
    "is not a whole number >= 1",
    "give the most touches per HCP and cycle; a channel that is closed to all belongs into rule_exclusion"
) }}
    union all
{{ problem_count(
    'unknown_value', 'engagement_action_catalog', 'uplift_basis',
    "catalog where lower(uplift_basis) not in ('touch', 'response')",
    "cast(channel as text) || '=' || uplift_basis",
    "is neither touch nor response",
    "give touch (the default) or response"
) }}
    union all
{{ problem_count(
    'basis_without_responses', 'engagement_action_catalog', 'uplift_basis',
    "catalog where lower(uplift_basis) = 'response' and not exists (select 1 from engagement_history where cast(engagement_history.channel as text) = cast(catalog.channel as text) and engagement_history.responses is not null)",
    "cast(channel as text)",
    "is response for channels without recorded responses",
    "set it to touch, or load the responses"
) }}
    union all
{{ problem_count(
    'max_touches', 'engagement_action_catalog', 'max_touches',
    "catalog where max_touches > 1",
    "cast(channel as text) || '=' || cast(max_touches as text)",
    "is above 1: this version plans one touch per HCP, channel and cycle",
    "nothing; the plan counts them as 1",
    'warn'
) }}
    union all
{{ problem_count(
    'unknown_value', 'hcp_master', 'rep_access',
    "hcp_master where rep_access is not null and rep_access not in ('open', 'restricted', 'no_see')",
    "rep_access",
    "is none of open, restricted, no_see and counts as restricted",
    "use one of the three words",
    'warn'
) }}
    union all
{{ problem_count(
    'known_before_start', 'engagement_history', 'known_at',
    "engagement_history where cast(known_at as date) < cast(period_start as date)",
    "'hcp_id=' || cast(hcp_id as text) || ' channel=' || cast(channel as text) || ' period_start=' || cast(cast(period_start as date) as text)",
    "lies before the period it reports",
    "a row can be known only after its period began: correct known_at"
) }}
    union all
{{ problem_count(
    'known_before_start', 'kpi_metrics', 'known_at',
    "kpi_metrics where cast(known_at as date) < cast(period_start as date)",
    "'hcp_id=' || cast(hcp_id as text) || ' period_start=' || cast(cast(period_start as date) as text)",
    "lies before the period it reports",
    "a row can be known only after its period began: correct known_at"
) }}
    union all
{{ problem_count(
    'ambiguous_restatement', 'kpi_metrics', 'known_at',
    "(select hcp_id, period_start from kpi_metrics where hcp_id is not null and period_start is not null group by hcp_id, period_start, known_at having count(*) > 1) as found",
    "'hcp_id=' || cast(hcp_id as text) || ' period_start=' || cast(cast(period_start as date) as text)",
    "does not tell the versions apart: several rows of one HCP and period have the same known_at, or none",
    "keep one row per HCP and period, or give each restatement its own known_at"
) }}
    union all
{{ problem_count(
    'two_brands', 'hcp_master', 'brand_id',
    "(select distinct cast(brand_id as text) as brand_id from hcp_master where brand_id is not null and (select count(distinct brand_id) from hcp_master) > 1) as found",
    "brand_id",
    "has several values, and only one brand can be planned at a time",
    "load one brand"
) }}
    union all
{{ problem_count(
    'two_brands', 'engagement_history', 'brand_id',
    "(select distinct cast(brand_id as text) as brand_id from engagement_history where brand_id is not null and (select count(distinct brand_id) from engagement_history) > 1) as found",
    "brand_id",
    "has several values, and only one brand can be planned at a time",
    "load one brand"
) }}
    union all
{{ problem_count(
    'two_brands', 'kpi_metrics', 'brand_id',
    "(select distinct cast(brand_id as text) as brand_id from kpi_metrics where brand_id is not null and (select count(distinct brand_id) from kpi_metrics) > 1) as found",
    "brand_id",
    "has several values, and only one brand can be planned at a time",
    "load one brand"
) }}
    union all
{{ problem_count(
    'two_brands', 'engagement_action_catalog', 'brand_id',
    "(select distinct cast(brand_id as text) as brand_id from catalog where brand_id is not null and (select count(distinct brand_id) from catalog) > 1) as found",
    "brand_id",
    "has several values, and only one brand can be planned at a time",
    "load one brand"
) }}
    union all
{{ problem_count(
    'two_brands', 'kpi_metrics', 'brand_id',
    "(select distinct brand_id from brands where (select count(distinct brand_id) from brands) > 1 and not exists (select table_name from brands group by table_name having count(*) > 1)) as found",
    "brand_id",
    "differs between the input tables, and only one brand can be planned at a time",
    "load one brand"
) }}
    union all
{{ problem_count(
    'mixed_grain', 'engagement_history', 'period_start',
    "(select distinct cast(engagement_history.period_start as date) as period_start from engagement_history cross join panel where panel.grain = 'mixed' and engagement_history.period_start is not null and case when (select count(*) from first_days) > (select count(*) from same_weekdays) then extract(day from engagement_history.period_start) <> 1 else mod(abs(" ~ dbt.datediff('panel.usual_start', 'engagement_history.period_start', 'day') ~ "), 7) <> 0 end) as found",
    "cast(period_start as text)",
    "mixes grains: these periods do not fit the others",
    "make all period starts of both tables weekly (7 days apart) or monthly (the 1st)"
) }}
    union all
{{ problem_count(
    'mixed_grain', 'kpi_metrics', 'period_start',
    "(select distinct cast(kpi_metrics.period_start as date) as period_start from kpi_metrics cross join panel where panel.grain = 'mixed' and kpi_metrics.period_start is not null and case when (select count(*) from first_days) > (select count(*) from same_weekdays) then extract(day from kpi_metrics.period_start) <> 1 else mod(abs(" ~ dbt.datediff('panel.usual_start', 'kpi_metrics.period_start', 'day') ~ "), 7) <> 0 end) as found",
    "cast(period_start as text)",
    "mixes grains: these periods do not fit the others",
    "make all period starts of both tables weekly (7 days apart) or monthly (the 1st)"
) }}
    union all
{{ problem_count(
    'cycle_start_off_grid', 'vars', 'nba_cycle_start',
    "panel where cycle_start_offset <> 0",
    "cast(cycle_start as text)",
    "is not a period start of the panel",
    "choose a date on the panel's grid of periods"
) }}
    union all
{{ problem_count(
    'cycle_without_history', 'vars', 'nba_cycle_start',
    "panel where cycle_start is not null and (engagement_last is null or kpi_last is null or panel_start >= cycle_start)",
    "cast(cycle_start as text)",
    "has no history of both tables before it",
    "choose a later cycle, or load earlier history"
) }}
{%- set tolerance = switches()['values']['nba_kpi_lag_periods'] if execute else -1 %}
    union all
{{ problem_count(
    'kpi_too_late', 'kpi_metrics', 'period_start',
    "panel where grain <> 'mixed' and kpi_lag_periods > " ~ (tolerance if tolerance >= 0 else "case when grain = 'month' then 2 else 6 end"),
    "'KPI ends ' || cast(kpi_last as text) || ', engagement ends ' || cast(engagement_last as text)",
    "ends more periods before engagement than nba_kpi_lag_periods allows",
    "load the newer KPI periods, or raise nba_kpi_lag_periods if the KPI really is that late"
) }}
    union all
{{ problem_count(
    'trimmed', 'engagement_history', 'period_start',
    "(select engagement_history.period_start from engagement_history cross join panel where cast(engagement_history.period_start as date) < panel.panel_start) as found",
    "cast(cast(period_start as date) as text)",
    "starts before the KPI does: these rows are trimmed to the common start",
    "nothing, or load earlier KPI",
    'warn'
) }}
    union all
{{ problem_count(
    'trimmed', 'kpi_metrics', 'period_start',
    "(select kpi_metrics.period_start from kpi_metrics cross join panel where cast(kpi_metrics.period_start as date) < panel.panel_start) as found",
    "cast(cast(period_start as date) as text)",
    "starts before engagement does: these rows are trimmed to the common start",
    "nothing, or load earlier engagement",
    'warn'
) }}
    union all
{{ problem_count(
    'after_cycle_start', 'engagement_history', 'period_start',
    "(select engagement_history.period_start from engagement_history cross join panel where cast(engagement_history.period_start as date) >= panel.cycle_start) as found",
    "cast(cast(period_start as date) as text)",
    "lies at or after nba_cycle_start: these rows are ignored",
    "nothing; a past cycle is planned with what was known before it",
    'warn'
) }}
    union all
{{ problem_count(
    'after_cycle_start', 'kpi_metrics', 'period_start',
    "(select kpi_metrics.period_start from kpi_metrics cross join panel where cast(kpi_metrics.period_start as date) >= panel.cycle_start) as found",
    "cast(cast(period_start as date) as text)",
    "lies at or after nba_cycle_start: these rows are ignored",
    "nothing; a past cycle is planned with what was known before it",
    'warn'
) }}
    union all
{{ problem_count(
    'unknown_value', 'suggestion_feedback', 'status',
    "suggestion_feedback where status is null or status not in ('accepted', 'dismissed', 'executed', 'expired')",
    "coalesce(status, 'null')",
    "is none of accepted, dismissed, executed, expired",
    "use one of the four words"
) }}
)

select * from problems
