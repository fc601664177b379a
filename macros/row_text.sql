{#- A row as `column=value` text, for the examples of a check. -#}
{% macro row_text(columns) -%}
    {%- set parts = [] -%}
    {%- for column in columns -%}
        {%- do parts.append("'" ~ column ~ "=' || coalesce(cast(" ~ column ~ " as text), 'null')") -%}
    {%- endfor -%}
    {{ return(parts | join(" || ' ' || ")) }}
{%- endmacro %}
