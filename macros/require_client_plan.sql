{#- Stops a build that plans on the client until `nba plan` has brought the solution of this very run, and says so. -#}
{% macro require_client_plan(run_config) -%}
    {%- if execute and flags.WHICH in ('run', 'build', 'retry') -%}
        {%- set wanted = run_query('select run_id from ' ~ run_config).columns[0].values()[0] -%}
        {%- set given = load_relation(room_relation('plan', 'client_run')) -%}
        {%- set found = run_query('select run_id from ' ~ given).columns[0].values() | list if given is not none else [] -%}
        {%- if wanted not in found -%}
            {%- do exceptions.raise_compiler_error(
                'The plan of run ' ~ wanted ~ ' is to be made on the client, and is not there yet. What to do: nba plan --target ' ~ target.name ~ ', then dbt retry. Nothing was published.'
            ) -%}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
