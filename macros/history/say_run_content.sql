{#- Operation behind `nba verify` and `nba replay`: prints JSON, table -> [rows, hash] of what memory holds of a run. -#}
{% macro say_run_content(run_id, tables) -%}
    {%- set found = {} -%}
    {%- for name in tables -%}
        {%- set there = load_relation(room_relation('memory', name)) -%}
        {%- if there is none -%}
            {%- do found.update({name: [0, 'no table']}) -%}
        {%- else -%}
            {%- set row = run_query(run_content(there, text_literal(run_id))).rows[0] -%}
            {%- do found.update({name: [row[0] | int, row[1]]}) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- do print(tojson(found)) -%}
{%- endmacro %}
