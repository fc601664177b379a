-- depends_on: {{ ref('gate_tables') }}
{%- set given = rule('rule_rep_capacity') %}
{%- set columns = columns_of(given) %}

select
    rep_id,
    territory_id,
    channel,
    {{ optional_column(columns, 'max_minutes', 'double precision') }},
    {{ optional_column(columns, 'max_actions', 'double precision') }}
from {{ given }}
