{%- set switch = switches()['values'] if execute else {} %}
{%- set days = switch.get('nba_suppress_days', 0) %}
{%- set reasons = [] %}
{%- for reason in switch.get('nba_suppress_reasons', []) %}
    {%- do reasons.append(text_literal(reason | lower | trim)) %}
{%- endfor %}
with

answers as (select * from {{ ref('stg_suggestion_answers') }}),

run_config as (select * from {{ ref('run_config') }}),

-- a suggestion was seen in whatever run it was; with the rule off nothing is read from memory
recommendations as (
    {%- if days > 0 %}
    select distinct
        recommendation_id,
        hcp_id,
        channel
    from {{ memory('recommendations', {'recommendation_id': 'text', 'hcp_id': 'text', 'channel': 'text'}) }} as recommendations
    {%- else %}
    select
        cast(null as text) as recommendation_id,
        cast(null as text) as hcp_id,
        cast(null as text) as channel
    where 1 = 0
    {%- endif %}
),

said as (
    select
        recommendations.hcp_id,
        recommendations.channel,
        answers.recommendation_id,
        answers.status,
        answers.reason,
        answers.answered_at,
        answers.answered_by
    from recommendations
    inner join answers on recommendations.recommendation_id = answers.recommendation_id
    where answers.answered_at is not null
),

welcomed as (
    select
        hcp_id,
        channel,
        max(answered_at) as welcomed_at
    from said
    where status in ('accepted', 'executed')
    group by hcp_id, channel
),

-- dismissals since the suggestion was last welcome
dismissed as (
    select
        said.*,
        row_number() over (
            partition by said.hcp_id, said.channel
            order by said.answered_at desc, {{ text_order('said.recommendation_id') }}
        ) as recency,
        count(*) over (partition by said.hcp_id, said.channel) as dismissals
    from said
    left join welcomed on said.hcp_id = welcomed.hcp_id and said.channel = welcomed.channel
    where said.status = 'dismissed'
        and (welcomed.welcomed_at is null or said.answered_at > welcomed.welcomed_at)
        {%- if reasons %}
        and lower(said.reason) in ({{ reasons | join(', ') }})
        {%- endif %}
),

final as (
    select
        dismissed.hcp_id,
        dismissed.channel,
        dismissed.reason,
        cast(dismissed.answered_at as date) as valid_from,
        cast(dismissed.answered_at as date) + {{ days }} as valid_to,
        dismissed.answered_by as created_by,
        cast(dismissed.dismissals as integer) as dismissals
    from dismissed
    cross join run_config
    where dismissed.recency = 1
        and dismissed.dismissals >= {{ switch.get('nba_suppress_after', 1) }}
        and cast(dismissed.answered_at as date) + {{ days }} >= run_config.cycle_start
)

select * from final
