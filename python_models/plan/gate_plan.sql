-- depends_on: {{ ref('plan_conflicts') }}
{%- if execute and flags.WHICH in ('run', 'build', 'retry') -%}
    {%- set rows = run_query('select rule, label, limit_value, problem, detail, what_to_do from ' ~ ref('plan_conflicts') ~ ' order by ' ~ text_order('rule') ~ ', ' ~ text_order('label') ~ ', ' ~ text_order('limit_id')) -%}
    {%- set lines = [] -%}
    {%- for row in rows -%}
        {%- set label = row[1] or 'a limit' -%}
        {%- set problem = row[3] or 'cannot be kept' -%}
        {%- set limit = ' (limit ' ~ row[2] ~ ')' if row[2] is not none else '' -%}
        {%- set said = problem if problem.startswith(label) else label ~ limit ~ ': ' ~ problem -%}
        {%- set loosening = 'Smallest loosening: ' ~ row[4] if row[4] and row[4] != 'remove' else none -%}
        {%- do lines.append(one_line(loop.index ~ '. ' ~ [row[0] ~ ': ' ~ said, loosening, 'What to do: ' ~ row[5] if row[5] else none] | select | join('. ') ~ '.', 2000)) -%}
    {%- endfor -%}
    {%- if lines -%}
        {%- do exceptions.raise_compiler_error('The rules contradict each other: no plan can keep all of them (' ~ (lines | length) ~ (' conflict' if lines | length == 1 else ' conflicts') ~ '). Nothing was published.\n' ~ (lines | join('\n'))) -%}
    {%- endif -%}
{%- endif %}
select true as is_open
