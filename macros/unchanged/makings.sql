{#- Which tables stand, and a hash of what each was made from. -#}
{% macro makings() -%}
    {{ return(room_relation('checks', 'makings')) }}
{%- endmacro %}
