-- depends_on: {{ ref('gate_tables') }}
{%- set given = rule('rule_contact_limit') %}
{%- set columns = columns_of(given) %}

select
    cast(channel as text) as channel,
    cast(attribute as text) as attribute,
    cast(value as text) as value,
    max_actions,
    {{ optional_column(columns, 'window_days', 'integer') }}
from {{ given }}
