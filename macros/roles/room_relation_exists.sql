{#- Whether a relation of a room is there in the warehouse. -#}
{% macro room_relation_exists(room, name) -%}
    {%- set place = room_relation(room, name) -%}
    {{ return(execute and adapter.get_relation(place.database, place.schema, place.identifier) is not none) }}
{%- endmacro %}
