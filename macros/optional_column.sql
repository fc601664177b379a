{#- One column of a base_ view: the user's where the table has it, else a typed null. -#}
{% macro optional_column(columns, name, data_type) -%}
    {%- if name in columns -%}
        {{ name }}
    {%- else -%}
        cast(null as {{ data_type }}) as {{ name }}
    {%- endif -%}
{%- endmacro %}
