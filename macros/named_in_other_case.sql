{#- The schema and name that a given table has in the warehouse where they differ by case only; none when they are right or there is no such table.
    dbt would stop there and ask for the table to be deleted. -#}
{% macro named_in_other_case(given) -%}
    {{ return(adapter.dispatch('named_in_other_case', 'nba')(given)) }}
{%- endmacro %}

{% macro default__named_in_other_case(given) -%}
    {%- set statement -%}
        select table_schema || '.' || table_name
        from information_schema.tables
        where
            table_catalog = {{ text_literal(given.database) }}
            and lower(table_schema) = lower({{ text_literal(given.schema) }})
            and lower(table_name) = lower({{ text_literal(given.identifier) }})
            and (table_schema <> {{ text_literal(given.schema) }} or table_name <> {{ text_literal(given.identifier) }})
    {%- endset -%}
    {{ return((run_query(statement).columns[0].values() | list or [none])[0]) }}
{%- endmacro %}

{#- Unquoted names are upper case here; a table made with quotes in another case is not found by them. -#}
{% macro snowflake__named_in_other_case(given) -%}
    {%- set statement -%}
        select table_schema || '.' || table_name
        from {{ given.database }}.information_schema.tables
        where
            upper(table_schema) = upper({{ text_literal(given.schema) }})
            and upper(table_name) = upper({{ text_literal(given.identifier) }})
            and (table_schema <> upper({{ text_literal(given.schema) }}) or table_name <> upper({{ text_literal(given.identifier) }}))
    {%- endset -%}
    {{ return((run_query(statement).columns[0].values() | list or [none])[0]) }}
{%- endmacro %}
