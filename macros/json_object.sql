{#- Columns of a relation (`[{name, data_type}]`) as one JSON object of texts, in the order given; missing values are null. -#}
{% macro json_object(columns, relation_name) -%}
    {%- set parts = [] -%}
    {%- for column in columns -%}
        {%- set words = attribute_text(relation_name ~ '.' ~ own_column(column.name), column.data_type) -%}
        {%- do parts.append("'" ~ ', ' * (not loop.first) ~ '"' ~ (column.name | lower) ~ '": ' ~ "' || coalesce(" ~ json_text(words) ~ ", 'null')") -%}
    {%- endfor -%}
    '{' || {{ parts | join(' || ') ~ ' || ' if parts }}'}'
{%- endmacro %}
