{#- SQL aggregates, as text, that together say what rows in any order hold: two sums over each row's hash by the engine, which chance does not bring together. Quick,
    and no lock against a forger, who can find other rows with the same sum. Empty: the engine has none that was tried. -#}
{% macro engine_hashes(columns, relation_name) -%}
    {{ return(adapter.dispatch('engine_hashes', 'nba')(columns, relation_name)) }}
{%- endmacro %}

{% macro default__engine_hashes(columns, relation_name) -%}
    {{ return([]) }}
{%- endmacro %}

{% macro duckdb__engine_hashes(columns, relation_name) -%}
    {%- set names = [] -%}
    {%- for column in columns | sort(attribute='name') -%}
        {%- do names.append(relation_name ~ '.' ~ adapter.quote(column.name)) -%}
    {%- endfor -%}
    {%- set row = 'hash(' ~ names | join(', ') ~ ')' -%}
    {{ return(['cast(sum(' ~ row ~ ') as text)', 'cast(sum(hash(1, ' ~ names | join(', ') ~ ')) as text)']) }}
{%- endmacro %}

{% macro postgres__engine_hashes(columns, relation_name) -%}
    {%- set names = [] -%}
    {%- for column in columns | sort(attribute='name') -%}
        {%- do names.append(relation_name ~ '.' ~ adapter.quote(column.name)) -%}
    {%- endfor -%}
    {%- set row = 'row(' ~ names | join(', ') ~ ')' -%}
    {{ return([
        'cast(sum(cast(hash_record_extended(' ~ row ~ ', 0) as numeric)) as text)',
        'cast(sum(cast(hash_record_extended(' ~ row ~ ', 1) as numeric)) as text)',
    ]) }}
{%- endmacro %}
