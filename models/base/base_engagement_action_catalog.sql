-- depends_on: {{ ref('gate_tables') }}
{%- set given = input('engagement_action_catalog') %}
{%- set columns = columns_of(given) %}

select
    cast(channel as text) as channel,
    unit_cost,
    expected_uplift,
    {{ optional_column(columns, 'uplift_basis', 'text') }},
    {{ optional_column(columns, 'label', 'text') }},
    {{ optional_column(columns, 'channel_type', 'text') }},
    {{ optional_column(columns, 'rep_minutes', 'double precision') }},
    {{ optional_column(columns, 'requires_consent', 'boolean') }},
    {{ optional_column(columns, 'max_touches', 'integer') }},
    {{ optional_column(columns, 'brand_id', 'text') }}
from {{ given }}
