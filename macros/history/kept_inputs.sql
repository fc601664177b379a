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
                    {%- set address = adapter.dispatch('table_address', 'nba')(there) -%}
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

{#- A hash of columns, types and rows in any order; exact, where the fingerprint of the inputs rounds to nine digits. Only for finding equal tables. -#}
{% macro default__table_address(relation) -%}
    {%- set columns = adapter.get_columns_in_relation(relation) -%}
    {%- set names = [] -%}
    {%- for column in columns -%}
        {%- do names.append(column.name ~ ' ' ~ column.data_type) -%}
    {%- endfor -%}
    {%- set found = run_query('select count(*), cast(sum(cast(hash(given) as hugeint)) as text), cast(bit_xor(hash(given)) as text) from ' ~ relation ~ ' as given').rows[0] -%}
    {{ return(local_md5(names | join('|') ~ '|' ~ (found.values() | join('|')))) }}
{%- endmacro %}

{% macro postgres__table_address(relation) -%}
    {%- set columns = adapter.get_columns_in_relation(relation) -%}
    {%- set names = [] -%}
    {%- for column in columns -%}
        {%- do names.append(column.name ~ ' ' ~ column.data_type) -%}
    {%- endfor -%}
    {%- set found = run_query('select count(*), cast(sum(cast(hashtextextended(cast(given as text), 0) as numeric)) as text), cast(sum(cast(hashtextextended(cast(given as text), 1) as numeric)) as text) from ' ~ relation ~ ' as given').rows[0] -%}
    {{ return(local_md5(names | join('|') ~ '|' ~ (found.values() | join('|')))) }}
{%- endmacro %}

{#- A clone would cost nothing there, but that was never tried on a live account. -#}
{% macro snowflake__table_address(relation) -%}
    {{ return(none) }}
{%- endmacro %}
