-- depends_on: {{ ref('gate_tables') }}
{%- set given = rule('rule_override') %}
{%- set columns = columns_of(given) %}

select
    {{ given_column(columns, 'hcp_id', 'text') }},
    {{ given_column(columns, 'channel', 'text') }},
    {{ given_column(columns, 'action', 'text') }},
    {{ given_column(columns, 'reason', 'text') }},
    {{ given_column(columns, 'valid_from', 'date') }},
    {{ given_column(columns, 'valid_to', 'date') }},
    {{ given_column(columns, 'created_by', 'text') }}
from {{ given }}
