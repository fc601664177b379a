{#- Whether a column of the given warehouse type can be read as a logical type of the contract without parsing text: the whole name of the type counts,
    so that `interval` is no integer and `date[]` no date. -#}
{% macro is_readable_as(given, wanted) -%}
    {%- set whole = modules.re.fullmatch('(u?(tiny|small|big|huge)?int(eger)?|int[248]|number\\(.*,0\\))', given) is not none -%}
    {%- set numeric = whole or modules.re.fullmatch('(double( precision)?|real|float[48]?|(decimal|numeric|number)(\\([0-9, ]*\\))?)', given) is not none -%}
    {%- set day = modules.re.fullmatch('(date|timestamp[a-z_]*(\\([0-9]\\))?( with(out)? time zone)?)', given) is not none -%}
    {%- set nested = not given.startswith('enum') and modules.re.search('\\[|^(struct|map|union|blob|bytea|bit|variant|object|array)', given) is not none -%}
    {%- if wanted == 'text' -%}
        {{ return(not nested) }}
    {%- elif wanted in ('integer', 'double precision') -%}
        {{ return(numeric) }}
    {%- elif wanted in ('date', 'timestamp') -%}
        {{ return(day) }}
    {%- elif wanted == 'boolean' -%}
        {{ return(modules.re.fullmatch('bool(ean)?', given) is not none) }}
    {%- endif -%}
    {{ return(true) }}
{%- endmacro %}
