{#- A hash of columns, types and rows in any order; exact, where the fingerprint of the inputs rounds to nine digits. Only for finding equal tables. -#}
{% macro table_address(relation) -%}
    {{ return(adapter.dispatch('table_address', 'nba')(relation)) }}
{%- endmacro %}

{% macro default__table_address(relation) -%}
    {%- set columns = adapter.get_columns_in_relation(relation) -%}
    {%- set names = [] -%}
    {%- for column in columns -%}
        {%- do names.append(column.name ~ ' ' ~ column.data_type) -%}
    {%- endfor -%}
    {%- set found = run_query('select count(*), cast(sum(cast(hash(nba_kept_row) as hugeint)) as text), cast(bit_xor(hash(nba_kept_row)) as text) from ' ~ relation ~ ' as nba_kept_row').rows[0] -%}
    {{ return(local_md5(names | join('|') ~ '|' ~ (found.values() | join('|')))) }}
{%- endmacro %}

{% macro postgres__table_address(relation) -%}
    {%- set columns = adapter.get_columns_in_relation(relation) -%}
    {%- set names = [] -%}
    {%- for column in columns -%}
        {%- do names.append(column.name ~ ' ' ~ column.data_type) -%}
    {%- endfor -%}
    {%- set found = run_query('select count(*), cast(sum(cast(hashtextextended(cast(nba_kept_row as text), 0) as numeric)) as text), cast(sum(cast(hashtextextended(cast(nba_kept_row as text), 1) as numeric)) as text) from ' ~ relation ~ ' as nba_kept_row').rows[0] -%}
    {{ return(local_md5(names | join('|') ~ '|' ~ (found.values() | join('|')))) }}
{%- endmacro %}

{#- A clone would cost nothing there, but that was never tried on a live account. -#}
{% macro snowflake__table_address(relation) -%}
    {{ return(none) }}
{%- endmacro %}
