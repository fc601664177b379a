-- depends_on: {{ ref('gate_tables') }}
{%- set given = rule('rule_access') %}
{%- set columns = columns_of(given) %}

select
    rep_access,
    channel
from {{ given }}
