{#- Post-hook of memory__inputs_by_run: the copies that it names, where they are not there yet. -#}
{% macro keep_inputs(inputs) -%}
    {%- set statements = [] -%}
    {%- if execute -%}
        {%- set rows = run_query('select table_name, kept_as from ' ~ inputs ~ ' where kept_as is not null and run_id in (select run_id from ' ~ room_relation('checks', 'run_config') ~ ') order by table_name').rows -%}
        {%- set names = {} -%}
        {%- for node in graph.sources.values() if node.source_name in ['input', 'rules'] -%}
            {%- do names.update({node.name: given_relation(node)}) -%}
        {%- endfor -%}
        {%- if rows -%}
            {%- do statements.append('create schema if not exists ' ~ room_relation('kept', 'x').include(database=false, identifier=false)) -%}
        {%- endif -%}
        {%- for row in rows -%}
            {%- do statements.append('create table if not exists ' ~ room_relation('kept', row[1]) ~ ' as select * from ' ~ names[row[0]]) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(statements | join(';\n')) }}
{%- endmacro %}
