{#- The typed empty select that a check model starts from. -#}
{% macro no_problem_rows() -%}
select
    cast(null as text) as check_name,
    cast(null as text) as severity,
    cast(null as text) as table_name,
    cast(null as text) as column_name,
    cast(null as bigint) as row_count,
    cast(null as text) as examples,
    cast(null as text) as problem,
    cast(null as text) as what_to_do
where 1 = 0
{%- endmacro %}
