-- depends_on: {{ ref('gate_tables') }}
{%- set given = rule('rule_channel_capacity') %}
{%- set columns = columns_of(given) %}

select
    {{ given_column(columns, 'channel', 'text') }},
    {{ given_column(columns, 'territory_id', 'text') }},
    {{ given_column(columns, 'min_actions', 'double precision') }},
    {{ given_column(columns, 'max_actions', 'double precision') }}
from {{ given }}
