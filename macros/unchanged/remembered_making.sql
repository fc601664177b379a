{#- Hash of what a table was made from, or none. -#}
{% macro remembered_making(relation) -%}
    {%- set rows = run_query('select made_from from ' ~ makings() ~ ' where table_name = ' ~ text_literal(relation.render())).rows -%}
    {{ return(rows[0][0] if rows | length == 1 else none) }}
{%- endmacro %}
