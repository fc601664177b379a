{#- The columns that a relation has in the warehouse by lower-case name; empty while parsing or when it does not exist. -#}
{% macro columns_of(relation) -%}
    {%- set found = {} -%}
    {%- if execute -%}
        {%- set there = load_relation(relation) -%}
        {%- if there is not none -%}
            {#- where case counts, two columns may differ by nothing else: the one in lower case is meant -#}
            {%- for column in adapter.get_columns_in_relation(there) if column.name | lower == column.name or column.name | lower not in found -%}
                {%- do found.update({column.name | lower: column}) -%}
            {%- endfor -%}
        {%- endif -%}
    {%- endif -%}
    {{ return(found) }}
{%- endmacro %}
