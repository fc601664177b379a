-- depends_on: {{ ref('gate_tables') }}
{%- set given = rule('rule_min_gap') %}
{%- set columns = columns_of(given) %}

select
    {{ given_column(columns, 'last_channel', 'text') }},
    {{ given_column(columns, 'channel', 'text') }},
    {{ given_column(columns, 'min_days', 'integer') }}
from {{ given }}
