{#- An ISO date as a SQL literal; null when there is none. -#}
{% macro date_literal(day) -%}
{%- if day -%}date '{{ day }}'{%- else -%}null{%- endif -%}
{%- endmacro %}
