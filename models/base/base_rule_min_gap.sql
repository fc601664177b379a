-- depends_on: {{ ref('gate_tables') }}
{%- set given = rule('rule_min_gap') %}
{%- set columns = columns_of(given) %}

select
    cast(last_channel as text) as last_channel,
    cast(channel as text) as channel,
    min_days
from {{ given }}
