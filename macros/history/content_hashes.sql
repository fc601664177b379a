{#- One row per run and memory table: a hash of what the run says there. Hooks write it, table by table. -#}
{% macro content_hashes() -%}
    {{ return(room_relation('memory', 'content_hashes')) }}
{%- endmacro %}
