{#- Columns of a relation (`[{name, data_type}]`) as one JSON object of texts, in the order given; missing values are null. -#}
{% macro json_object(columns, relation_name) -%}
    {%- set parts = [] -%}
    {%- for column in columns -%}
        {%- set words = attribute_text(relation_name ~ '.' ~ own_column(column.name), column.data_type) -%}
        {%- set key = '"' ~ (column.name | lower | replace('\\', '\\\\') | replace('"', '\\"')) ~ '": ' -%}
        {%- do parts.append(text_literal(', ' * (not loop.first) ~ key) ~ ' || coalesce(' ~ json_text(words) ~ ", 'null')") -%}
    {%- endfor -%}
    '{' || {{ parts | join(' || ') ~ ' || ' if parts }}'}'
{%- endmacro %}
