-- depends_on: {{ ref('gate_tables') }}
{%- set given = rule('rule_override') %}
{%- set columns = columns_of(given) %}

select
    cast(hcp_id as text) as hcp_id,
    cast(channel as text) as channel,
    cast(action as text) as action,
    {{ optional_column(columns, 'reason', 'text') }},
    {{ optional_column(columns, 'valid_from', 'date') }},
    {{ optional_column(columns, 'valid_to', 'date') }},
    {{ optional_column(columns, 'created_by', 'text') }}
from {{ given }}
