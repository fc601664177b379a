{#- The rows of one rule table as text, equal on every engine: its key and the whole row as JSON objects of texts, and how often it is there.
    `relation` is the base_ view; who made an override says so himself. -#}
{% macro rule_rows(name, relation) -%}
    {%- set declared = contract_table('rules', name) -%}
    {%- set columns = [] -%}
    {%- for column in (declared.columns.values() if declared else []) -%}
        {%- do columns.append({'name': column.name, 'data_type': column.data_type}) -%}
    {%- endfor -%}
    {%- set keys = columns | selectattr('name', 'in', rule_keys()[name]) | list -%}
    select
        {{ text_literal(name) }} as rule_table,
        {{ json_object(keys, 'given') }} as row_key,
        {{ json_object(columns, 'given') }} as row_text,
        {{ 'given.created_by' if name == 'rule_override' else 'cast(null as text)' }} as created_by
    from (
        select
        {%- for column in columns %}
            cast({{ own_column(column.name) }} as {{ column.data_type }}) as {{ own_column(column.name) }}{{ ',' if not loop.last }}
        {%- endfor %}
        from {{ relation }}
    ) as given
{%- endmacro %}
