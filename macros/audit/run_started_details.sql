{#- What a run started with, as a SQL expression of JSON: the command, the target, every switch as it holds and as the command gave it, and how many
    publications there were before. -#}
{% macro run_started_details() -%}
    {%- set places = ['input_schema', 'input_database', 'input_tables', 'rule_schema', 'nba_sample_cycle_start', 'nba_schema_prefix', 'nba_roles'] -%}
    {%- set given = {} -%}
    {%- for name in switches()['values'].keys() | list + places -%}
        {%- do given.update({name: json_ready(var(name, none))}) -%}
    {%- endfor -%}
    {%- set said = {
        'command': 'dbt ' ~ flags.WHICH,
        'is_whole': is_full_build(),
        'target': target.name,
        'engine': target.type,
        'dbt': dbt_version,
        'publications': (run_query('select count(*) from ' ~ publications()).rows[0][0] | int),
        'switches': given,
        'given': json_ready(invocation_args_dict.get('vars') or {}),
    } -%}
    {{ return(text_literal(tojson(said, sort_keys=true))) }}
{%- endmacro %}

{#- A value that JSON can hold: a date that somebody forgot to quote becomes its text. -#}
{% macro json_ready(value) -%}
    {%- if value is none or value is boolean or value is number or value is string -%}
        {{ return(value) }}
    {%- elif value is mapping -%}
        {%- set found = {} -%}
        {%- for name, part in value.items() -%}
            {%- do found.update({name | string: json_ready(part)}) -%}
        {%- endfor -%}
        {{ return(found) }}
    {%- elif value is iterable -%}
        {%- set found = [] -%}
        {%- for part in value -%}
            {%- do found.append(json_ready(part)) -%}
        {%- endfor -%}
        {{ return(found) }}
    {%- endif -%}
    {{ return(value | string) }}
{%- endmacro %}
