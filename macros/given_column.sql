{#- One column of a base_ view: the user's where their table has it, however the warehouse writes its name (text as text, so that ids compare; a moment
    with a zone as UTC without one), else a typed null. `columns` is what columns_of found. -#}
{% macro given_column(columns, name, data_type) -%}
    {%- if name in columns -%}
        {%- set own = adapter.quote(columns[name].name) -%}
        {%- set given = columns[name].data_type | lower -%}
        {%- if data_type == 'text' -%}
            cast({{ own }} as text)
        {%- elif given == 'timestamptz' or given.endswith(' with time zone') -%}
            {{ own }} at time zone 'UTC'
        {%- else -%}
            {{ own }}
        {%- endif -%}
    {%- else -%}
        cast(null as {{ data_type }})
    {%- endif %} as {{ own_column(name) }}
{%- endmacro %}
