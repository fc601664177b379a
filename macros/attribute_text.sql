{#- A column of any type as text, the same text on every engine: a double shows that it is one (`7.0`). -#}
{% macro attribute_text(expression, data_type) -%}
    {{ return(adapter.dispatch('attribute_text', 'nba')(expression, data_type)) }}
{%- endmacro %}

{% macro default__attribute_text(expression, data_type) -%}
cast({{ expression }} as text)
{%- endmacro %}

{% macro postgres__attribute_text(expression, data_type) -%}
    {%- if data_type | lower in ['double precision', 'real'] -%}
case
            when {{ expression }} = floor({{ expression }}) and abs({{ expression }}) < 1e16 then cast(cast({{ expression }} as bigint) as text) || '.0'
            else cast({{ expression }} as text)
        end
    {%- elif data_type | lower == 'date' -%}
{{ date_text(expression) }}
    {%- else -%}
cast({{ expression }} as text)
    {%- endif -%}
{%- endmacro %}

{#- A double that is whole is told without a point here. -#}
{% macro snowflake__attribute_text(expression, data_type) -%}
    {%- if data_type | lower in ['float', 'double', 'double precision', 'real'] -%}
case
            when {{ expression }} = floor({{ expression }}) and abs({{ expression }}) < 1e15 then cast(cast({{ expression }} as bigint) as text) || '.0'
            else cast({{ expression }} as text)
        end
    {%- elif data_type | lower == 'date' -%}
{{ date_text(expression) }}
    {%- else -%}
cast({{ expression }} as text)
    {%- endif -%}
{%- endmacro %}
