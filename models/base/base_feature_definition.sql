-- depends_on: {{ ref('gate_tables') }}
{%- set given = rule('feature_definition') %}
{%- set columns = columns_of(given) %}

select
    cast(feature_name as text) as feature_name,
    cast(label as text) as label,
    {{ optional_column(columns, 'description', 'text') }},
    {{ optional_column(columns, 'unit', 'text') }}
from {{ given }}
