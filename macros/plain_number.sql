{#- A number as people write it: whole numbers without a point, others with at most six decimals. -#}
{% macro plain_number(expression) -%}
    {{ return(adapter.dispatch('plain_number', 'nba')(expression)) }}
{%- endmacro %}

{% macro default__plain_number(expression) -%}
    case
        when {{ expression }} = floor({{ expression }}) and abs({{ expression }}) < 1e15 then cast(cast({{ expression }} as bigint) as text)
        else rtrim(cast(cast({{ expression }} as numeric(28, 6)) as text), '0')
    end
{%- endmacro %}

{#- A double becomes a numeric of 15 digits here: by way of text it keeps them all. -#}
{% macro postgres__plain_number(expression) -%}
    case
        when {{ expression }} = floor({{ expression }}) and abs({{ expression }}) < 1e15 then cast(cast({{ expression }} as bigint) as text)
        else rtrim(cast(cast(cast({{ expression }} as text) as numeric(28, 6)) as text), '0')
    end
{%- endmacro %}
