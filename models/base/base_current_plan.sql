-- depends_on: {{ ref('gate_tables') }}
{%- set given = input('current_plan') %}
{%- set columns = columns_of(given) %}

select
    {{ given_column(columns, 'hcp_id', 'text') }},
    {{ given_column(columns, 'channel', 'text') }},
    {{ given_column(columns, 'touches', 'integer') }}
{% if columns or not execute %}from {{ given }}{% else %}where 1 = 0{% endif %}
