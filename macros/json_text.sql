{#- A text as a JSON string, null as null; characters below the blank become blanks. -#}
{% macro json_text(expression) -%}
    {{ return(adapter.dispatch('json_text', 'nba')(expression)) }}
{%- endmacro %}

{#- chr(92) is the backslash: written out, engines disagree on it. -#}
{% macro default__json_text(expression) -%}
    {%- set controls = [] -%}
    {%- for code in range(1, 32) -%}
        {%- do controls.append('chr(' ~ code ~ ')') -%}
    {%- endfor -%}
    '"' || replace(replace(translate({{ expression }}, {{ controls | join(' || ') }}, '{{ ' ' * 31 }}'), chr(92), chr(92) || chr(92)), '"', chr(92) || '"') || '"'
{%- endmacro %}
