{#- One row of a check model from facts known while rendering. -#}
{% macro problem_row(check_name, severity, table_name, column_name, problem, what_to_do) -%}
select
    {{ text_literal(check_name) }} as check_name,
    {{ text_literal(severity) }} as severity,
    {{ text_literal(table_name) }} as table_name,
    {{ text_literal(column_name) }} as column_name,
    cast(null as bigint) as row_count,
    cast(null as text) as examples,
    {{ text_literal(problem) }} as problem,
    {{ text_literal(what_to_do) }} as what_to_do
{%- endmacro %}
