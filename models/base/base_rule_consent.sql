-- depends_on: {{ ref('gate_tables') }}
{%- set given = rule('rule_consent') %}
{%- set columns = columns_of(given) %}

select
    {{ given_column(columns, 'hcp_id', 'text') }},
    {{ given_column(columns, 'channel', 'text') }},
    {{ given_column(columns, 'status', 'text') }},
    {{ given_column(columns, 'captured_at', 'timestamp') }},
    {{ given_column(columns, 'expires_at', 'date') }}
from {{ given }}
