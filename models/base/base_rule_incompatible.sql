-- depends_on: {{ ref('gate_tables') }}
{%- set given = rule('rule_incompatible') %}
{%- set columns = columns_of(given) %}

select
    {{ given_column(columns, 'channel_a', 'text') }},
    {{ given_column(columns, 'channel_b', 'text') }}
from {{ given }}
