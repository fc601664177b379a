-- depends_on: {{ ref('gate_tables') }}
{%- set given = input('engagement_action_catalog') %}
{%- set columns = columns_of(given) %}

select
    {{ given_column(columns, 'channel', 'text') }},
    {{ given_column(columns, 'unit_cost', 'double precision') }},
    {{ given_column(columns, 'expected_uplift', 'double precision') }},
    {{ given_column(columns, 'uplift_basis', 'text') }},
    {{ given_column(columns, 'label', 'text') }},
    {{ given_column(columns, 'channel_type', 'text') }},
    {{ given_column(columns, 'rep_minutes', 'double precision') }},
    {{ given_column(columns, 'requires_consent', 'boolean') }},
    {{ given_column(columns, 'max_touches', 'integer') }},
    {{ given_column(columns, 'brand_id', 'text') }}
from {{ given }}
