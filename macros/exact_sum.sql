{#- Sum of doubles that does not depend on the order in which an engine adds them: it adds decimals. -#}
{% macro exact_sum(expression) -%}
    cast(sum(cast({{ expression }} as numeric(28, 9))) as double precision)
{%- endmacro %}
