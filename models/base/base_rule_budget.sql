-- depends_on: {{ ref('gate_tables') }}
{%- set given = rule('rule_budget') %}
{%- set columns = columns_of(given) %}

select
    {{ given_column(columns, 'channel', 'text') }},
    {{ given_column(columns, 'territory_id', 'text') }},
    {{ given_column(columns, 'max_cost', 'double precision') }}
from {{ given }}
