-- depends_on: {{ ref('gate_tables') }}
{%- set given = input('suggestion_feedback') %}
{%- set columns = columns_of(given) %}

select
    {{ optional_column(columns, 'recommendation_id', 'text') }},
    {{ optional_column(columns, 'status', 'text') }},
    {{ optional_column(columns, 'reason', 'text') }},
    {{ optional_column(columns, 'at', 'timestamp') }},
    {{ optional_column(columns, 'by', 'text') }}
{% if columns or not execute %}from {{ given }}{% else %}where 1 = 0{% endif %}
