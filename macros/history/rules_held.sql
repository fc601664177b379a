{#- The rules that held in a run, as a subquery of (rule_table, row_hash, row_key, row_text): of every row the last thing that was recorded
    up to the run says whether it was there. `run_number` is a SQL expression; `only` may narrow the rows looked at. -#}
{% macro rules_held(run_number, only='1 = 1') -%}
    (
        select
            rule_table,
            row_hash,
            row_key,
            row_text
        from (
            select
                kept.*,
                row_number() over (partition by kept.rule_table, kept.row_hash order by kept.run_number desc) as recency
            from {{ memory('rules_by_run', {
                'run_number': 'integer', 'rule_table': 'text', 'row_hash': 'text', 'row_key': 'text', 'row_text': 'text', 'change': 'text',
            }) }} as kept
            where kept.run_number <= {{ run_number }} and {{ only }}
        ) as told
        where told.recency = 1 and told.change = 'added'
    )
{%- endmacro %}
