{#- What a whole build keeps of its inputs for `nba replay`: table -> {kept_as, not_kept}. The name of a kept table carries a hash of its
    columns, types and rows, so a table that did not change is kept once. Nothing is kept while parsing, in a part of a build, with
    nba_keep_inputs: 0, or of tables larger than nba_keep_input_rows. -#}
{% macro kept_inputs() -%}
    {%- set found = {} -%}
    {%- if execute -%}
        {%- for node in graph.sources.values() if node.source_name in ['input', 'rules'] -%}
            {%- set given = given_relation(node) -%}
            {%- set there = load_relation(given) -%}
            {%- if there is none -%}
                {%- do found.update({node.name: {'kept_as': none, 'not_kept': 'is not there'}}) -%}
            {%- elif var('nba_keep_inputs') | int == 0 -%}
                {%- do found.update({node.name: {'kept_as': none, 'not_kept': 'nba_keep_inputs is 0'}}) -%}
            {%- elif not is_full_build() -%}
                {%- do found.update({node.name: {'kept_as': none, 'not_kept': 'not a whole build'}}) -%}
            {%- else -%}
                {%- set rows = run_query('select count(*) from ' ~ there).rows[0][0] | int -%}
                {%- if rows > var('nba_keep_input_rows') | int -%}
                    {%- do found.update({node.name: {'kept_as': none, 'not_kept': rows ~ ' rows, nba_keep_input_rows is ' ~ var('nba_keep_input_rows')}}) -%}
                {%- else -%}
                    {%- set address = table_address(there) -%}
                    {%- if address is none -%}
                        {%- do found.update({node.name: {'kept_as': none, 'not_kept': 'not on ' ~ target.type}}) -%}
                    {%- else -%}
                        {%- do found.update({node.name: {'kept_as': node.name ~ '_' ~ address[:16], 'not_kept': none}}) -%}
                    {%- endif -%}
                {%- endif -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(found) }}
{%- endmacro %}
