{#- What the plan looks like, as numbers: one scan of the pairs, and small tables. -#}
with

run as (select * from {{ ref('run_config') }}),

inputs as (select * from {{ ref('profile_inputs') }}),

summary as (select * from {{ ref('fct_plan_summary') }}),

planned as (
    select
        channel,
        count(*) as row_count,
        sum(touches) as touches,
        sum(cost) as total_cost,
        sum(touches * expected_impact) as expected_impact,
        count(distinct hcp_id) as hcps
    from {{ ref('fct_recommendations') }}
    group by channel
),

pairs as (
    select
        channel,
        count(*) as row_count,
        sum(case when is_eligible then 1 else 0 end) as eligible,
        count(engagement_probability) as probabilities,
        avg(engagement_probability) as mean_probability,
        min(engagement_probability) as lowest_probability,
        max(engagement_probability) as highest_probability,
        avg(case when is_eligible then expected_impact end) as mean_impact,
        sum(case when is_eligible and expected_impact > 0 then 1 else 0 end) as worth_it,
        avg(expected_impact_high - expected_impact_low) as mean_width
    from {{ ref('fct_hcp_channel_scores') }}
    group by channel
),

used as (
    select
        channel,
        sum(touches) as touches,
        sum(cost) as total_cost
    from {{ ref('fct_channel_usage') }}
    group by channel
),

facts as (
    select
        table_name,
        subject,
        item,
        period_start,
        measure,
        amount
    from inputs
    where table_name = 'hcp_master' and subject = ''
{%- for measure, column in {'rows': 'row_count', 'touches': 'touches', 'total_cost': 'total_cost', 'expected_impact': 'expected_impact', 'hcps': 'hcps'}.items() %}
    union all
    {{ profile_fact('recommendations', measure, column, 'channel', 'channel') }} from planned
{%- endfor %}
    union all
    {{ profile_fact('hcp_channel_scores', 'rows', 'row_count', 'channel', 'channel') }} from pairs
{%- for measure in ['eligible', 'probabilities', 'mean_probability', 'lowest_probability', 'highest_probability', 'mean_impact', 'worth_it', 'mean_width'] %}
    union all
    {{ profile_fact('hcp_channel_scores', measure, measure, 'channel', 'channel') }} from pairs
{%- endfor %}
{%- for measure in ['objective', 'penalty', 'solve_gap', 'total_cost', 'actions', 'hcps_reached', 'expected_impact'] %}
    union all
    {{ profile_fact('plan_summary', measure, measure) }} from summary
{%- endfor %}
{%- for measure in ['touches', 'total_cost'] %}
    union all
    {{ profile_fact('channel_usage', measure, measure, 'channel', 'channel') }} from used
{%- endfor %}
),

final as (
    select
        run.run_id,
        run.cycle_start,
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
