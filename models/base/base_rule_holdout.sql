-- depends_on: {{ ref('gate_tables') }}
{%- set given = rule('rule_holdout') %}
{%- set columns = columns_of(given) %}

select
    {{ given_column(columns, 'arm', 'text') }},
    {{ given_column(columns, 'share', 'double precision') }},
    {{ given_column(columns, 'unit', 'text') }},
    {{ given_column(columns, 'redraw_cycles', 'integer') }},
    {{ given_column(columns, 'resource_share', 'double precision') }}
from {{ given }}
