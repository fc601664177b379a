-- depends_on: {{ ref('gate_tables') }}
{%- set given = rule('rule_channel_window') %}
{%- set columns = columns_of(given) %}

select
    cast(channel as text) as channel,
    cast(territory_id as text) as territory_id,
    {{ optional_column(columns, 'available_from', 'date') }},
    {{ optional_column(columns, 'available_to', 'date') }}
from {{ given }}
