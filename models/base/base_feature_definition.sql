-- depends_on: {{ ref('gate_tables') }}
{%- set given = rule('feature_definition') %}
{%- set columns = columns_of(given) %}

select
    feature_name,
    label,
    {{ optional_column(columns, 'description', 'text') }},
    {{ optional_column(columns, 'unit', 'text') }}
from {{ given }}
