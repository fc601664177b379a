{#- One row of a check model if `rows_from` (a table expression with its where clause) finds any row: how many, and the first examples.
    `example` is a text expression over that row. -#}
{% macro problem_count(check_name, table_name, column_name, rows_from, example, problem, what_to_do, severity='error') -%}
select
    {{ text_literal(check_name) }} as check_name,
    {{ text_literal(severity) }} as severity,
    {{ text_literal(table_name) }} as table_name,
    {{ text_literal(column_name) }} as column_name,
    count(*) as row_count,
    {{ first_examples(example) }} as examples,
    {{ text_literal(problem) }} as problem,
    {{ text_literal(what_to_do) }} as what_to_do
from {{ rows_from }}
having count(*) > 0
{% endmacro %}
