-- depends_on: {{ ref('gate_tables') }}
{%- set given = input('kpi_metrics') %}
{%- set columns = columns_of(given) %}

select
    {{ given_column(columns, 'hcp_id', 'text') }},
    {{ given_column(columns, 'period_start', 'date') }},
    {{ given_column(columns, 'kpi_value', 'double precision') }},
    {{ given_column(columns, 'market_value', 'double precision') }},
    {{ given_column(columns, 'known_at', 'timestamp') }},
    {{ given_column(columns, 'brand_id', 'text') }}
from {{ given }}
