{#- One field of an event as it is hashed: null as \N, backslash and line feed escaped (chr(92) is the backslash, chr(10) the line feed).
    nba/audit/chain.py writes the same text. -#}
{% macro log_field(expression) -%}
coalesce(replace(replace({{ expression }}, chr(92), chr(92) || chr(92)), chr(10), chr(92) || 'n'), chr(92) || 'N')
{%- endmacro %}
