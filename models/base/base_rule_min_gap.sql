-- depends_on: {{ ref('gate_tables') }}
{%- set given = rule('rule_min_gap') %}
{%- set columns = columns_of(given) %}

select
    last_channel,
    channel,
    min_days
from {{ given }}
