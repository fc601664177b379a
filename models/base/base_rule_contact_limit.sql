-- depends_on: {{ ref('gate_tables') }}
{%- set given = rule('rule_contact_limit') %}
{%- set columns = columns_of(given) %}

select
    channel,
    attribute,
    value,
    max_actions,
    {{ optional_column(columns, 'window_days', 'integer') }}
from {{ given }}
