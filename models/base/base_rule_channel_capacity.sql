-- depends_on: {{ ref('gate_tables') }}
{%- set given = rule('rule_channel_capacity') %}
{%- set columns = columns_of(given) %}

select
    cast(channel as text) as channel,
    cast(territory_id as text) as territory_id,
    {{ optional_column(columns, 'min_actions', 'double precision') }},
    {{ optional_column(columns, 'max_actions', 'double precision') }}
from {{ given }}
