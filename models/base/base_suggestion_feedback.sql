-- depends_on: {{ ref('gate_tables') }}
{%- set given = input('suggestion_feedback') %}
{%- set columns = columns_of(given) %}

select
    {{ given_column(columns, 'recommendation_id', 'text') }},
    {{ given_column(columns, 'status', 'text') }},
    {{ given_column(columns, 'reason', 'text') }},
    {{ given_column(columns, 'at', 'timestamp') }},
    {{ given_column(columns, 'by', 'text') }}
{% if columns or not execute %}from {{ given }}{% else %}where 1 = 0{% endif %}
