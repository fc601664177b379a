-- depends_on: {{ ref('gate_tables') }}
{%- set given = rule('rule_rep_capacity') %}
{%- set columns = columns_of(given) %}

select
    cast(rep_id as text) as rep_id,
    cast(territory_id as text) as territory_id,
    cast(channel as text) as channel,
    {{ optional_column(columns, 'max_minutes', 'double precision') }},
    {{ optional_column(columns, 'max_actions', 'double precision') }}
from {{ given }}
