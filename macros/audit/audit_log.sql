{#- The append-only log of what was done, by whom, on which data: every row carries the hash of the row before. -#}
{% macro audit_log() -%}
    {{ return(room_relation('memory', 'audit_log')) }}
{%- endmacro %}
