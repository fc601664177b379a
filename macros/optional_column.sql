{#- One column of a base_ view that the user's table may lack: theirs where it is there (text as text, so that ids compare), else a typed null. -#}
{% macro optional_column(columns, name, data_type) -%}
    {%- if name in columns and data_type == 'text' -%}
        cast({{ adapter.quote(name) }} as text) as {{ adapter.quote(name) }}
    {%- elif name in columns -%}
        {{ adapter.quote(name) }}
    {%- else -%}
        cast(null as {{ data_type }}) as {{ adapter.quote(name) }}
    {%- endif -%}
{%- endmacro %}
