-- depends_on: {{ ref('gate_tables') }}
{%- set given = rule('rule_access') %}
{%- set columns = columns_of(given) %}

select
    {{ given_column(columns, 'rep_access', 'text') }},
    {{ given_column(columns, 'channel', 'text') }}
from {{ given }}
