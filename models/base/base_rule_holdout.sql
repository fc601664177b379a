-- depends_on: {{ ref('gate_tables') }}
{%- set given = rule('rule_holdout') %}
{%- set columns = columns_of(given) %}

select
    cast(arm as text) as arm,
    share,
    {{ optional_column(columns, 'unit', 'text') }},
    {{ optional_column(columns, 'redraw_cycles', 'integer') }},
    {{ optional_column(columns, 'resource_share', 'double precision') }}
from {{ given }}
