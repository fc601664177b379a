-- depends_on: {{ ref('gate_tables') }}
{%- set given = rule('rule_contact_limit') %}
{%- set columns = columns_of(given) %}

select
    {{ given_column(columns, 'channel', 'text') }},
    {{ given_column(columns, 'attribute', 'text') }},
    {{ given_column(columns, 'value', 'text') }},
    {{ given_column(columns, 'max_actions', 'double precision') }},
    {{ given_column(columns, 'window_days', 'integer') }}
from {{ given }}
