{#- Statements: the rows of the run that is being built, in place of those that an earlier try left. -#}
{% macro rows_of_this_run(relation, columns, sql) -%}
    {%- set names = [] -%}
    {%- for name in columns -%}
        {%- do names.append(adapter.quote(name) if columns[name].get('quote') else name) -%}
    {%- endfor -%}
    delete from {{ relation }} where run_id in (select run_id from {{ room_relation('checks', 'run_config') }});
    insert into {{ relation }} ({{ names | join(', ') }})
    select {{ names | join(', ') }}
    from (
        {{ sql }}
    ) as rows_now
{%- endmacro %}
