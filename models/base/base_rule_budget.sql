-- depends_on: {{ ref('gate_tables') }}
{%- set given = rule('rule_budget') %}
{%- set columns = columns_of(given) %}

select
    cast(channel as text) as channel,
    cast(territory_id as text) as territory_id,
    max_cost
from {{ given }}
