{#- A relation of a room by its plain name, whether or not it exists: for hooks, which have no ref. -#}
{% macro room_relation(room, name) -%}
    {{ return(api.Relation.create(database=target.database, schema=var('nba_schema_prefix', '') ~ room, identifier=name)) }}
{%- endmacro %}
