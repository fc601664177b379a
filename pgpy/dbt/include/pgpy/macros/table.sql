{# SQL models are dbt-postgres's own; a Python model's rows are handed to the same materialization. #}
{% materialization table, adapter='pgpy', supported_languages=['sql', 'python'] %}
  {%- if model['language'] == 'sql' -%}
    {{ return(materialization_table_default()) }}
  {%- endif -%}
  {%- call statement('python_model', language='python') -%}
    {{ compiled_code }}
  {%- endcall -%}
  {%- do pgpy_sql_from_python() -%}
  {%- set built = materialization_table_default() -%}
  {%- do pgpy_drop_python_result() -%}
  {{ return(built) }}
{% endmaterialization %}
