{#- The published run as a subquery of at most one run_id: the pointer is the newest row of the log. -#}
{% macro published_run() -%}
    (select run_id from {{ publications() }} where published_at = (select max(published_at) from {{ publications() }}))
{%- endmacro %}
