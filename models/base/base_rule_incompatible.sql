-- depends_on: {{ ref('gate_tables') }}
{%- set given = rule('rule_incompatible') %}
{%- set columns = columns_of(given) %}

select
    channel_a,
    channel_b
from {{ given }}
