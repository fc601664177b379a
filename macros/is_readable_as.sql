{#- Whether a column of the given warehouse type can be read as a logical type of the contract without parsing text. An all-null column may have any type. -#}
{% macro is_readable_as(given, wanted) -%}
    {%- set whole = modules.re.match('(u?(tiny|small|big|huge)?int(eger)?|int[248]|number\\(.*,0\\))', given) is not none -%}
    {%- set numeric = whole or modules.re.match('(double|real|float|decimal|numeric|number)', given) is not none -%}
    {%- set day = modules.re.match('date|timestamp', given) is not none -%}
    {%- if wanted == 'text' -%}
        {{ return(modules.re.match('.*(\\[\\]|struct|map|blob|bytea)', given) is none) }}
    {%- elif wanted in ('integer', 'double precision') -%}
        {{ return(numeric) }}
    {%- elif wanted in ('date', 'timestamp') -%}
        {{ return(day) }}
    {%- elif wanted == 'boolean' -%}
        {{ return(given.startswith('bool')) }}
    {%- endif -%}
    {{ return(true) }}
{%- endmacro %}
