{#- The log of publications: its newest row is the pointer to the run that is published. -#}
{% macro publications() -%}
    {{ return(room_relation('memory', 'publications')) }}
{%- endmacro %}
