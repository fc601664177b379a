{# One COPY instead of an insert with a parameter for every cell. #}
{% macro pgpy__load_csv_rows(model, agate_table) %}
  {%- set columns = get_seed_column_quoted_csv(model, agate_table.column_names) -%}
  {{ return(adapter.copy_seed(this.render(), columns, agate_table)) }}
{% endmacro %}
