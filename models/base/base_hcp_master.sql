-- depends_on: {{ ref('gate_tables') }}
{%- set given = input('hcp_master') %}
{%- set columns = columns_of(given) %}

select
    cast(hcp_id as text) as hcp_id,
    {{ optional_column(columns, 'npi', 'text') }},
    {{ optional_column(columns, 'full_name', 'text') }},
    {{ optional_column(columns, 'specialty', 'text') }},
    {{ optional_column(columns, 'practice_type', 'text') }},
    {{ optional_column(columns, 'hco_id', 'text') }},
    {{ optional_column(columns, 'territory_id', 'text') }},
    {{ optional_column(columns, 'rep_id', 'text') }},
    {{ optional_column(columns, 'decile', 'double precision') }},
    {{ optional_column(columns, 'rep_access', 'text') }},
    {{ optional_column(columns, 'crm_account_id', 'text') }},
    {{ optional_column(columns, 'brand_id', 'text') }}
    {#- every other column of the user's table is a candidate feature and may be named by a rule -#}
    {%- for column in other_columns(columns, 'input', 'hcp_master') %},
    {{ adapter.quote(column) }}
    {%- endfor %}
from {{ given }}
