{#- Columns of a relation as one JSON object of texts, in the order given; missing values are null. -#}
{% macro json_object(columns, relation_name) -%}
    {%- set parts = [] -%}
    {%- for column in columns -%}
        {%- do parts.append("'" ~ ', ' * (not loop.first) ~ '"' ~ column ~ '": ' ~ "' || coalesce(" ~ json_text('cast(' ~ relation_name ~ '.' ~ column ~ ' as text)') ~ ", 'null')") -%}
    {%- endfor -%}
    '{' || {{ parts | join(' || ') ~ ' || ' if parts }}'}'
{%- endmacro %}
