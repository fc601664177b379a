{#- What the inputs look like, as numbers: one scan of a history per grouping, whatever its size. Rows at or after the cycle are not looked at. -#}
{%- set spread = ['specialty', 'practice_type', 'rep_access', 'decile', 'territory_id'] %}
{%- set rules = ['budget', 'channel_capacity', 'rep_capacity', 'contact_limit', 'exclusion', 'consent', 'access', 'channel_window', 'min_gap', 'incompatible', 'coverage_floor', 'holdout', 'override'] %}
with

run as (select * from {{ ref('run_config') }}),

panel as (select * from {{ ref('check_panel') }}),

hcps as (select * from {{ ref('base_hcp_master') }}),

known_before as (select hcp_id from {{ ref('hcps_before') }}),

engagement as (
    select
        cast(history.hcp_id as text) as hcp_id,
        cast(history.channel as text) as channel,
        cast(history.period_start as date) as period_start,
        history.touches,
        history.responses
    from {{ ref('base_engagement_history') }} as history
    cross join run
    where cast(history.period_start as date) < run.cycle_start
),

kpi as (
    select
        cast(metrics.hcp_id as text) as hcp_id,
        cast(metrics.period_start as date) as period_start,
        cast(metrics.kpi_value as double precision) as kpi_value
    from {{ ref('base_kpi_metrics') }} as metrics
    cross join run
    where cast(metrics.period_start as date) < run.cycle_start
),

catalog as (select * from {{ ref('base_engagement_action_catalog') }}),

engagement_cells as (
    select
        channel,
        period_start,
        count(*) as row_count,
        sum(touches) as touches,
        sum(case when responses is not null then touches else 0 end) as recorded_touches,
        sum(responses) as responses,
        count(responses) as recorded_rows
    from engagement
    group by channel, period_start
),

engaged as (
    select
        hcp_id,
        count(*) as row_count
    from engagement
    group by hcp_id
),

kpi_cells as (
    select
        period_start,
        count(*) as row_count,
        count(kpi_value) as given_rows,
        sum(case when kpi_value = 0 then 1 else 0 end) as zero_rows
    from kpi
    group by period_start
),

-- mean of every HCP over the long window before the cycle: what a change of unit or of population moves
measured as (
    select
        kpi.hcp_id,
        avg(case when kpi.period_start >= {{ add_periods('run.cycle_start', '(0 - run.window_long)', 'run.grain') }} then kpi.kpi_value end) as mean_value
    from kpi
    cross join run
    group by kpi.hcp_id
),

quantiles as (
    select
        percentile_cont(0.5) within group (order by mean_value) as middle,
        percentile_cont(0.9) within group (order by mean_value) as high
    from measured
    where mean_value is not null
),

-- of the HCPs in hcp_master: who was there in the last good run, who has touches, who has KPI rows
covered as (
    select
        count(*) as hcps,
        count(known_before.hcp_id) as kept_hcps,
        count(engaged.hcp_id) as engaged_hcps,
        count(measured.hcp_id) as measured_hcps,
        sum(engaged.row_count) as known_rows
    from hcps
    left join known_before on cast(hcps.hcp_id as text) = known_before.hcp_id
    left join engaged on cast(hcps.hcp_id as text) = engaged.hcp_id
    left join measured on cast(hcps.hcp_id as text) = measured.hcp_id
),

-- whole periods that are missing between the newest one and the cycle
late as (
    select
        case
            when grain = 'month' then {{ dbt.datediff('engagement_last', 'cycle_start', 'month') }}
            else {{ dbt.datediff('engagement_last', 'cycle_start', 'day') }} / 7
        end - 1 as engagement_periods,
        case
            when grain = 'month' then {{ dbt.datediff('kpi_last', 'cycle_start', 'month') }}
            else {{ dbt.datediff('kpi_last', 'cycle_start', 'day') }} / 7
        end - 1 as kpi_periods
    from panel
),

opt_ins as (
    select
        channel,
        count(distinct hcp_id) as hcps
    from {{ ref('base_rule_consent') }}
    where lower(cast(status as text)) = 'opt_in' and channel is not null
    group by channel
),
{%- for column in spread %}

{{ column }}_counts as (
    select
        coalesce({{ 'lower(cast(rep_access as text))' if column == 'rep_access' else 'cast(' ~ column ~ ' as text)' }}, '(none)') as item,
        count(*) as row_count
    from hcps
    group by coalesce({{ 'lower(cast(rep_access as text))' if column == 'rep_access' else 'cast(' ~ column ~ ' as text)' }}, '(none)')
),
{%- endfor %}

facts as (
    {{ profile_fact('hcp_master', 'rows', 'hcps') }} from covered
    union all
    {{ profile_fact('hcp_master', 'kept_hcps', 'kept_hcps') }} from covered
    union all
    {{ profile_fact('hcp_master', 'hcps_before', 'count(*)') }} from known_before
{%- for column in spread %}
    union all
    {{ profile_fact('hcp_master', 'rows', 'row_count', column, 'item') }} from {{ column }}_counts
{%- endfor %}
    union all
    {{ profile_fact('engagement_history', 'late_periods', 'engagement_periods') }} from late
    union all
    {{ profile_fact('engagement_history', 'covered_hcps', 'engaged_hcps') }} from covered
    union all
    {{ profile_fact('engagement_history', 'known_rows', 'coalesce(known_rows, 0)') }} from covered
{%- for measure, column in {'rows': 'row_count', 'touches': 'touches', 'recorded_touches': 'recorded_touches', 'responses': 'responses', 'recorded_rows': 'recorded_rows'}.items() %}
    union all
    {{ profile_fact('engagement_history', measure, column, 'channel', 'channel', 'period_start') }} from engagement_cells
{%- endfor %}
    union all
    {{ profile_fact('kpi_metrics', 'late_periods', 'kpi_periods') }} from late
    union all
    {{ profile_fact('kpi_metrics', 'covered_hcps', 'measured_hcps') }} from covered
{%- for measure, column in {'rows': 'row_count', 'given_rows': 'given_rows', 'zero_rows': 'zero_rows'}.items() %}
    union all
    {{ profile_fact('kpi_metrics', measure, column, 'kpi_value', period='period_start') }} from kpi_cells
{%- endfor %}
{%- for measure in ['middle', 'high'] %}
    union all
    {{ profile_fact('kpi_metrics', measure, measure, 'kpi_value') }} from quantiles
{%- endfor %}
{%- for column in ['unit_cost', 'expected_uplift', 'rep_minutes'] %}
    union all
    {{ profile_fact('engagement_action_catalog', 'value', column, column, 'channel') }} from catalog
{%- endfor %}
    union all
    {{ profile_fact('rule_consent', 'opt_ins', 'hcps', 'channel', 'channel') }} from opt_ins
{%- for name in rules %}
    union all
    {{ profile_fact('rule_' ~ name, 'rows', 'count(*)') }} from {{ ref('base_rule_' ~ name) }}
{%- endfor %}
),

final as (
    select
        run.run_id,
        run.cycle_start,
        run.input_source,
        run.grain,
        facts.table_name,
        facts.subject,
        facts.item,
        facts.period_start,
        facts.measure,
        cast({{ round_significant('facts.amount', 9) }} as double precision) as amount
    from facts
    cross join run
    where facts.amount is not null
)

select * from final
