{%- set denied = [] %}
{%- for column in adapter.get_columns_in_relation(ref('stg_hcp_master')) if execute %}
    {%- if denied_as(column.name) | trim not in ['', 'direct identifier', 'patient data'] and column.name | lower not in switches()['values']['nba_denied_except'] | map('lower') %}
        {%- do denied.append(column.name | lower) %}
    {%- endif %}
{%- endfor %}
{%- set features = [
    'specialty', 'practice_type', 'rep_access', 'decile', 'has_rep', 'hco_size', 'all_touches_short', 'all_touches_long', 'all_response_rate_long',
    'days_since_any_touch', 'kpi_mean_short', 'kpi_mean_long', 'kpi_trend', 'kpi_change', 'kpi_known_periods', 'market_mean_long', 'market_share_long',
    'market_share_trend',
] %}
{%- for attribute in hcp_attributes() %}
    {%- do features.append(attribute.name) %}
{%- endfor %}
with

hcps as (select * from {{ ref('stg_hcp_master') }}),

scoring as (select * from {{ ref('feat_scoring') }}),

drawn as (select * from {{ ref('feat_training_hcps') }}),

-- what is known of an HCP stands on each of its pairs
first_channel as (select min(channel) as channel from scoring),

final as (
    select
        hcps.hcp_id
        {%- for name in denied %},
        hcps.{{ own_column(name) }} as {{ own_column('denied__' ~ name) }}
        {%- endfor %}
        {%- for name in features if denied %},
        scoring.{{ own_column(name) }} as {{ own_column('feature__' ~ name) }}
        {%- endfor %}
    from hcps
    inner join drawn on hcps.hcp_id = drawn.hcp_id
    inner join scoring on hcps.hcp_id = scoring.hcp_id
    inner join first_channel on scoring.channel = first_channel.channel
    {%- if not denied %}
    where 1 = 0
    {%- endif %}
)

select * from final
