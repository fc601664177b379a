-- depends_on: {{ ref('gate_tables') }}
{%- set given = rule('rule_coverage_floor') %}
{%- set columns = columns_of(given) %}

select
    cast(territory_id as text) as territory_id,
    cast(attribute as text) as attribute,
    {{ optional_column(columns, 'operator', 'text') }},
    cast(value as text) as value,
    cast(channel as text) as channel,
    min_hcps,
    {{ optional_column(columns, 'hardness', 'text') }}
from {{ given }}
