{#- A number in a closing line by a format such as '%.2f'; `unknown` where there is none. -#}
{% macro shown(pattern, number) -%}
    {{ return('unknown' if number is none else pattern | format(number)) }}
{%- endmacro %}
