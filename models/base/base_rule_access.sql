-- depends_on: {{ ref('gate_tables') }}
{%- set given = rule('rule_access') %}
{%- set columns = columns_of(given) %}

select
    cast(rep_access as text) as rep_access,
    cast(channel as text) as channel
from {{ given }}
