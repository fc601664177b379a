{#- Difference of two doubles; what is only the noise of their last bits is 0, so that every engine gives the same. -#}
{% macro difference(minuend, subtrahend) -%}
    case
        when abs({{ minuend }} - {{ subtrahend }}) <= 1e-12 * (abs({{ minuend }}) + abs({{ subtrahend }})) then 0
        else {{ minuend }} - {{ subtrahend }}
    end
{%- endmacro %}
