-- depends_on: {{ ref('gate_tables') }}
{%- set given = input('engagement_history') %}
{%- set columns = columns_of(given) %}

select
    {{ given_column(columns, 'hcp_id', 'text') }},
    {{ given_column(columns, 'channel', 'text') }},
    {{ given_column(columns, 'period_start', 'date') }},
    {{ given_column(columns, 'touches', 'integer') }},
    {{ given_column(columns, 'responses', 'integer') }},
    {{ given_column(columns, 'content_id', 'text') }},
    {{ given_column(columns, 'known_at', 'timestamp') }},
    {{ given_column(columns, 'brand_id', 'text') }}
from {{ given }}
