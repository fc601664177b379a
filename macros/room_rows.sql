{#- Rows of a query over one relation of a room as a list; empty while the relation does not exist: for hooks only.
    `clauses` is what follows `from <relation>`. -#}
{% macro room_rows(room, name, columns, clauses='') -%}
    {%- set relation = adapter.get_relation(target.database, var('nba_schema_prefix', '') ~ room, name) -%}
    {%- if relation is none -%}
        {{ return([]) }}
    {%- endif -%}
    {{ return(run_query('select ' ~ columns ~ ' from ' ~ relation ~ ' ' ~ clauses).rows | list) }}
{%- endmacro %}
