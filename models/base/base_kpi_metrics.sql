-- depends_on: {{ ref('gate_tables') }}
{%- set given = input('kpi_metrics') %}
{%- set columns = columns_of(given) %}

select
    cast(hcp_id as text) as hcp_id,
    period_start,
    kpi_value,
    {{ optional_column(columns, 'market_value', 'double precision') }},
    {{ optional_column(columns, 'known_at', 'timestamp') }},
    {{ optional_column(columns, 'brand_id', 'text') }}
from {{ given }}
