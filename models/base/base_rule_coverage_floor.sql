-- depends_on: {{ ref('gate_tables') }}
{%- set given = rule('rule_coverage_floor') %}
{%- set columns = columns_of(given) %}

select
    territory_id,
    attribute,
    {{ optional_column(columns, 'operator', 'text') }},
    value,
    channel,
    min_hcps,
    {{ optional_column(columns, 'hardness', 'text') }}
from {{ given }}
