{#- Post-hook of memory__inputs_by_run: the event inputs_fingerprinted, with rows and hash of every table. -#}
{% macro record_inputs(inputs) -%}
    {%- if execute -%}
        {%- set rows = run_query('select table_name, row_count, content_hash, kept_as from ' ~ inputs ~ ' where run_id in (select run_id from ' ~ room_relation('checks', 'run_config') ~ ') order by table_name').rows -%}
        {%- set tables = {} -%}
        {%- for row in rows -%}
            {%- do tables.update({row[0]: {'rows': row[1] | int, 'hash': row[2], 'kept_as': row[3]}}) -%}
        {%- endfor -%}
        {%- if tables -%}
            {{ record_event('inputs_fingerprinted', text_literal(tables | length ~ ' tables'), text_literal(tojson({'tables': tables}, sort_keys=true))) }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
