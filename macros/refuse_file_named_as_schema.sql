{#- DuckDB names the database after its file and takes no view over "x"."x"."table": said before the first view fails for a reason nobody sees. -#}
{% macro refuse_file_named_as_schema() -%}
    {%- set schemas = graph.nodes.values() | map(attribute='schema') | list + graph.sources.values() | map(attribute='schema') | list -%}
    {%- if target.type == 'duckdb' and target.database | lower in schemas | map('lower') | list -%}
        {%- do exceptions.raise_compiler_error(
            "The DuckDB file may not bear the name of a schema that the project reads or writes: '" ~ target.database ~ "'. "
            ~ 'Name the file otherwise, or point NBA_DUCKDB_PATH at another one. Nothing was built.'
        ) -%}
    {%- endif -%}
{%- endmacro %}
