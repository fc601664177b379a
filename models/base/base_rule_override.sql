-- depends_on: {{ ref('gate_tables') }}
{%- set given = rule('rule_override') %}
{%- set columns = columns_of(given) %}

select
    hcp_id,
    channel,
    action,
    {{ optional_column(columns, 'reason', 'text') }},
    {{ optional_column(columns, 'valid_from', 'date') }},
    {{ optional_column(columns, 'valid_to', 'date') }},
    {{ optional_column(columns, 'created_by', 'text') }}
from {{ given }}
