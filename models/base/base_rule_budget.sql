-- depends_on: {{ ref('gate_tables') }}
{%- set given = rule('rule_budget') %}
{%- set columns = columns_of(given) %}

select
    channel,
    territory_id,
    max_cost
from {{ given }}
