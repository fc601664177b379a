{# As `table`: every incremental strategy of dbt-postgres works on the rows of a Python model. #}
{% materialization incremental, adapter='pgpy', supported_languages=['sql', 'python'] %}
  {%- if model['language'] == 'sql' -%}
    {{ return(materialization_incremental_default()) }}
  {%- endif -%}
  {%- call statement('python_model', language='python') -%}
    {{ compiled_code }}
  {%- endcall -%}
  {%- do pgpy_sql_from_python() -%}
  {%- set built = materialization_incremental_default() -%}
  {%- do pgpy_drop_python_result() -%}
  {{ return(built) }}
{% endmaterialization %}
