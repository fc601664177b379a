{#- dbt asks this macro to describe a relation and its columns in the warehouse. Columns under contract are there, so no query looks for them, and
    everything is said in one statement: a build describes more than a hundred relations. -#}
{% macro duckdb__persist_docs(relation, model, for_relation, for_columns) -%}
    {%- if not config.get('contract').enforced -%}
        {%- do default__persist_docs(relation, model, for_relation, for_columns) -%}
    {%- else -%}
        {%- set says_relation = for_relation and config.persist_relation_docs() and model.description -%}
        {%- set says_columns = for_columns and config.persist_column_docs() -%}
        {%- set comments = [duckdb__alter_relation_comment(relation, model.description)] if says_relation else [] -%}
        {%- for name, column in model.columns.items() if says_columns -%}
            {%- set written = adapter.quote(name) if column.quote else name -%}
            {%- do comments.append('comment on column ' ~ relation ~ '.' ~ written ~ ' is ' ~ duckdb_escape_comment(column.description) ~ ';') -%}
        {%- endfor -%}
        {%- if comments -%}
            {%- do run_query(comments | join('\n')) -%}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
