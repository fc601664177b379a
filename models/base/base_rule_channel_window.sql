-- depends_on: {{ ref('gate_tables') }}
{%- set given = rule('rule_channel_window') %}
{%- set columns = columns_of(given) %}

select
    {{ given_column(columns, 'channel', 'text') }},
    {{ given_column(columns, 'territory_id', 'text') }},
    {{ given_column(columns, 'available_from', 'date') }},
    {{ given_column(columns, 'available_to', 'date') }}
from {{ given }}
