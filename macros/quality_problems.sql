{#- Rows of a quality table that did not hold, as raise_problems reads them; a table without any evaluated expectation is a problem of its own. -#}
{% macro quality_problems(relation) -%}
    (
        select
            severity,
            table_name,
            column_name,
            expectation as check_name,
            row_count,
            examples,
            problem,
            what_to_do
        from {{ relation }}
        where status = 'not_met'
        union all
        select
            'error',
            'expectations',
            '',
            'something_is_evaluated',
            null,
            null,
            'evaluated nothing at all, so the gate says nothing',
            'see that {{ relation.identifier }} has rows; a family is switched off with nba_gate_<family>: off'
        where not exists (select 1 from {{ relation }} where status in ('met', 'not_met', 'off'))
    ) as found
{%- endmacro %}
