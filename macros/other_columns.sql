{#- Columns of a given table that the contract does not name, sorted: they are kept, never an error. -#}
{% macro other_columns(columns, source_name, table_name) -%}
    {%- set known = contract_table(source_name, table_name).columns.keys() | map('lower') | list if execute else [] -%}
    {{ return(columns | reject('in', known) | sort | list) }}
{%- endmacro %}
