{#- Lower-case names of the columns that a relation has in the warehouse; empty while parsing or when it does not exist. -#}
{% macro columns_of(relation) -%}
    {%- set names = [] -%}
    {%- if execute -%}
        {%- set found = load_relation(relation) -%}
        {%- if found is not none -%}
            {%- for column in adapter.get_columns_in_relation(found) -%}
                {%- do names.append(column.name | lower) -%}
            {%- endfor -%}
        {%- endif -%}
    {%- endif -%}
    {{ return(names) }}
{%- endmacro %}
