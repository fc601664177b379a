{#- True for NaN and the infinities, which no model may see. -#}
{% macro is_not_finite(expression) -%}
    {{ return(adapter.dispatch('is_not_finite', 'nba')(expression)) }}
{%- endmacro %}

{% macro duckdb__is_not_finite(expression) -%}
(isnan(cast({{ expression }} as double)) or isinf(cast({{ expression }} as double)))
{%- endmacro %}

{#- NaN equals itself here. -#}
{% macro postgres__is_not_finite(expression) -%}
(cast({{ expression }} as double precision) in ('NaN', 'Infinity', '-Infinity'))
{%- endmacro %}

{#- NaN equals itself here. -#}
{% macro snowflake__is_not_finite(expression) -%}
(cast({{ expression }} as double) in (cast('nan' as double), cast('inf' as double), cast('-inf' as double)))
{%- endmacro %}
