{# Runs the Python model, whose rows land in a temporary table of dbt's connection, and makes the select from it the `sql` of the node. #}
{% macro pgpy_sql_from_python() %}
  {%- do context.update({'sql': 'select * from ' ~ adapter.python_result()}) -%}
{% endmacro %}

{# Space is given back at once: dbt keeps the connection for the next node. #}
{% macro pgpy_drop_python_result() %}
  {%- call statement('drop_python_result') -%}
    drop table if exists {{ adapter.python_result() }}
  {%- endcall -%}
  {%- do adapter.commit() -%}
{% endmacro %}
