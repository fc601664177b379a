{#- Query of one row (row_count, content_hash): the rows of a run in a memory table, without what two equal builds may differ in. -#}
{% macro run_content(relation, run_id) -%}
    {%- set columns = [] -%}
    {%- for column in (adapter.get_columns_in_relation(relation) if execute else []) if column.name | lower not in exempt_columns() -%}
        {%- do columns.append(column) -%}
    {%- endfor -%}
    {%- set digest = row_digest(columns, 'kept') if columns else "cast(null as text)" -%}
    {{ content_hash('select ' ~ digest ~ ' as digest from ' ~ relation ~ ' as kept where kept.run_id = ' ~ run_id) }}
{%- endmacro %}
