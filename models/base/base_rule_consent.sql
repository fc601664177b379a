-- depends_on: {{ ref('gate_tables') }}
{%- set given = rule('rule_consent') %}
{%- set columns = columns_of(given) %}

select
    cast(hcp_id as text) as hcp_id,
    cast(channel as text) as channel,
    cast(status as text) as status,
    {{ optional_column(columns, 'captured_at', 'timestamp') }},
    {{ optional_column(columns, 'expires_at', 'date') }}
from {{ given }}
