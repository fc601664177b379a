-- depends_on: {{ ref('gate_tables') }}
{%- set given = input('hcp_master') %}
{%- set columns = columns_of(given) %}

select
    {{ given_column(columns, 'hcp_id', 'text') }},
    {{ given_column(columns, 'npi', 'text') }},
    {{ given_column(columns, 'full_name', 'text') }},
    {{ given_column(columns, 'specialty', 'text') }},
    {{ given_column(columns, 'practice_type', 'text') }},
    {{ given_column(columns, 'hco_id', 'text') }},
    {{ given_column(columns, 'territory_id', 'text') }},
    {{ given_column(columns, 'rep_id', 'text') }},
    {{ given_column(columns, 'decile', 'double precision') }},
    {{ given_column(columns, 'rep_access', 'text') }},
    {{ given_column(columns, 'crm_account_id', 'text') }},
    {{ given_column(columns, 'brand_id', 'text') }}
    {#- every other column of the user's table is a candidate feature and may be named by a rule -#}
    {%- for column in other_columns(columns, 'input', 'hcp_master') %},
    {{ adapter.quote(columns[column].name) }} as {{ own_column(column) }}
    {%- endfor %}
from {{ given }}
