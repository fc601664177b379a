-- depends_on: {{ ref('gate_tables') }}
{%- set given = input('engagement_history') %}
{%- set columns = columns_of(given) %}

select
    cast(hcp_id as text) as hcp_id,
    cast(channel as text) as channel,
    period_start,
    touches,
    responses,
    {{ optional_column(columns, 'content_id', 'text') }},
    {{ optional_column(columns, 'known_at', 'timestamp') }},
    {{ optional_column(columns, 'brand_id', 'text') }}
from {{ given }}
