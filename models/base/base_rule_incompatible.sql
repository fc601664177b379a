-- depends_on: {{ ref('gate_tables') }}
{%- set given = rule('rule_incompatible') %}
{%- set columns = columns_of(given) %}

select
    cast(channel_a as text) as channel_a,
    cast(channel_b as text) as channel_b
from {{ given }}
