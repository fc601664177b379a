{#- SHA-256 of a text (UTF-8) as 64 hexadecimal digits in lower case. -#}
{% macro sha256_text(expression) -%}
    {{ return(adapter.dispatch('sha256_text', 'nba')(expression)) }}
{%- endmacro %}

{% macro default__sha256_text(expression) -%}
sha256({{ expression }})
{%- endmacro %}

{% macro postgres__sha256_text(expression) -%}
encode(sha256(convert_to({{ expression }}, 'UTF8')), 'hex')
{%- endmacro %}

{% macro snowflake__sha256_text(expression) -%}
sha2({{ expression }}, 256)
{%- endmacro %}
