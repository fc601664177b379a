{#- A number as people write it: whole numbers without a point, others with at most six decimals. -#}
{% macro plain_number(expression) -%}
    case
        when {{ expression }} = floor({{ expression }}) and abs({{ expression }}) < 1e15 then cast(cast({{ expression }} as bigint) as text)
        else rtrim(cast(cast({{ expression }} as numeric(28, 6)) as text), '0')
    end
{%- endmacro %}
