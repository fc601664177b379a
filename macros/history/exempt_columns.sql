{#- Columns that two builds of the same inputs may differ in (contract, section 6), and what names a run or its maker. -#}
{% macro exempt_columns() -%}
    {{ return(['run_id', 'published_at', 'seconds', 'code_version', 'model_version', 'base_run_id', 'changed_by']) }}
{%- endmacro %}
