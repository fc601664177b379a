{#- The whole number nearest to a double, halves away from 0: engines round halves each in their own way. -#}
{% macro whole_number(expression) -%}
sign({{ expression }}) * floor(abs({{ expression }}) + 0.5)
{%- endmacro %}
