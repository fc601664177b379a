{#- The table that says whose login sees which territories and rep_ids: written by the builder only, kept over all builds. -#}
{% macro role_access() -%}
    {{ return(room_relation('memory', 'role_access')) }}
{%- endmacro %}
