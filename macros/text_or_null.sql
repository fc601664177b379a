{#- A column as text, null where it is blank: in SQL a blank would be a value of its own, to people and to the planner it is none. -#}
{% macro text_or_null(column) -%}
case when trim(cast({{ column }} as text)) <> '' then cast({{ column }} as text) end
{%- endmacro %}
