-- depends_on: {{ ref('gate_tables') }}
{%- set given = rule('feature_definition') %}
{%- set columns = columns_of(given) %}

select
    {{ given_column(columns, 'feature_name', 'text') }},
    {{ given_column(columns, 'label', 'text') }},
    {{ given_column(columns, 'description', 'text') }},
    {{ given_column(columns, 'unit', 'text') }}
from {{ given }}
