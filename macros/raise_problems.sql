{#- Stops the build with the error rows of check models as its message; warnings are printed. Call it from gate models only:
    it acts when the gate itself runs, so that what the user reads is the list and not a traceback. -#}
{% macro raise_problems(relations, heading) -%}
    {%- if execute and flags.WHICH in ('run', 'build', 'retry') -%}
        {%- set found = [] -%}
        {%- for relation in relations -%}
            {%- set order = [] -%}
            {%- for column in ['severity', 'table_name', 'column_name', 'check_name', 'problem', 'examples'] -%}
                {%- do order.append(text_order(column)) -%}
            {%- endfor -%}
            {%- set rows = run_query('select severity, table_name, column_name, row_count, examples, problem, what_to_do from ' ~ relation ~ ' order by ' ~ order | join(', ')) -%}
            {%- for row in rows -%}
                {%- do found.append(row) -%}
            {%- endfor -%}
        {%- endfor -%}
        {%- set lines = [] -%}
        {%- for row in found -%}
            {%- set place = row[1] ~ ('.' ~ row[2] if row[2] else '') -%}
            {%- set count = (' (' ~ row[3] ~ (' row)' if row[3] == 1 else ' rows)')) if row[3] is not none else '' -%}
            {%- set examples = ' Examples: ' ~ one_line(row[4], 500) ~ '.' if row[4] else '' -%}
            {%- set text = one_line(place ~ ' ' ~ row[5]) ~ count ~ '.' ~ examples ~ ' What to do: ' ~ one_line(row[6]) ~ '.' -%}
            {%- if row[0] == 'error' -%}
                {%- do lines.append((lines | length + 1) ~ '. ' ~ text) -%}
            {%- else -%}
                {%- do log('Note: ' ~ text, info=true) -%}
            {%- endif -%}
        {%- endfor -%}
        {%- if lines -%}
            {%- do exceptions.raise_compiler_error(heading ~ ' (' ~ (lines | length) ~ (' problem' if lines | length == 1 else ' problems') ~ '). Nothing was published.\n' ~ (lines | join('\n'))) -%}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
