{#- A text as a JSON string, null as null; characters below the blank become blanks. -#}
{% macro json_text(expression) -%}
    {{ return(adapter.dispatch('json_text', 'nba')(expression)) }}
{%- endmacro %}

{#- chr(92) is the backslash: written out, engines disagree on it. -#}
{% macro default__json_text(expression) -%}
    '"' || replace(replace(replace(replace(replace({{ expression }}, chr(92), chr(92) || chr(92)), '"', chr(92) || '"'), chr(9), ' '), chr(10), ' '), chr(13), ' ') || '"'
{%- endmacro %}
