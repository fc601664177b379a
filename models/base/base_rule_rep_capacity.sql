-- depends_on: {{ ref('gate_tables') }}
{%- set given = rule('rule_rep_capacity') %}
{%- set columns = columns_of(given) %}

select
    {{ given_column(columns, 'rep_id', 'text') }},
    {{ given_column(columns, 'territory_id', 'text') }},
    {{ given_column(columns, 'channel', 'text') }},
    {{ given_column(columns, 'max_minutes', 'double precision') }},
    {{ given_column(columns, 'max_actions', 'double precision') }}
from {{ given }}
