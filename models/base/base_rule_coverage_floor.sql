-- depends_on: {{ ref('gate_tables') }}
{%- set given = rule('rule_coverage_floor') %}
{%- set columns = columns_of(given) %}

select
    {{ given_column(columns, 'territory_id', 'text') }},
    {{ given_column(columns, 'attribute', 'text') }},
    {{ given_column(columns, 'operator', 'text') }},
    {{ given_column(columns, 'value', 'text') }},
    {{ given_column(columns, 'channel', 'text') }},
    {{ given_column(columns, 'min_hcps', 'double precision') }},
    {{ given_column(columns, 'hardness', 'text') }}
from {{ given }}
