{#- Adds what a table of an older version lacks of the columns of the model's contract. -#}
{% macro add_missing_columns(relation, columns) -%}
    {%- set there = adapter.get_columns_in_relation(relation) | map(attribute='name') | map('lower') | list -%}
    {%- for name in columns if name | lower not in there -%}
        {%- do run_query('alter table ' ~ relation ~ ' add column ' ~ (adapter.quote(name) if columns[name].get('quote') else name) ~ ' ' ~ columns[name]['data_type']) -%}
    {%- endfor -%}
{%- endmacro %}
