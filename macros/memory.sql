{#- A memory table as rooms to its left may read it: the relation, or a typed empty select while no build has made it yet.
    `columns` maps column name to data type; a column that the table of an older version lacks is null. -#}
{% macro memory(name, columns) -%}
    {%- set relation = adapter.get_relation(target.database, var('nba_schema_prefix', '') ~ 'memory', name) if execute else none -%}
    {%- if relation is not none -%}
        {%- set there = adapter.get_columns_in_relation(relation) | map(attribute='name') | map('lower') | list -%}
        (
            select
            {%- for column, data_type in columns.items() %}
                {{ column if column in there else 'cast(null as ' ~ data_type ~ ') as ' ~ column }}{{ ',' if not loop.last }}
            {%- endfor %}
            from {{ relation }}
        )
    {%- else -%}
        (
            select
            {%- for column, data_type in columns.items() %}
                cast(null as {{ data_type }}) as {{ column }}{{ ',' if not loop.last }}
            {%- endfor %}
            where 1 = 0
        )
    {%- endif -%}
{%- endmacro %}
