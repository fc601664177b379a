-- depends_on: {{ ref('gate_tables') }}
{%- set given = rule('rule_consent') %}
{%- set columns = columns_of(given) %}

select
    hcp_id,
    channel,
    status,
    {{ optional_column(columns, 'captured_at', 'timestamp') }},
    {{ optional_column(columns, 'expires_at', 'date') }}
from {{ given }}
