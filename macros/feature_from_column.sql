{#- A column of any type as a feature: numbers rounded doubles, booleans 0 or 1, everything else text. -#}
{% macro feature_from_column(expression, data_type) -%}
    {%- set given = data_type | upper -%}
    {%- set numbers = ['TINYINT', 'SMALLINT', 'INT', 'BIGINT', 'HUGEINT', 'UINT', 'UTINYINT', 'USMALLINT', 'UBIGINT', 'UHUGEINT', 'NUM', 'DEC',
        'DOUBLE', 'FLOAT', 'REAL', 'FIXED'] -%}
    {%- if given.startswith('BOOL') -%}
        cast(case when {{ expression }} then 1 when not {{ expression }} then 0 end as double precision)
    {%- elif not given.startswith('INTERVAL') and numbers | select('in', [given[:3], given[:4], given[:5], given[:6], given[:7], given[:8], given[:9]]) | list -%}
        {{ round_significant('cast(' ~ expression ~ ' as double precision)', 6) }}
    {%- else -%}
        cast({{ expression }} as text)
    {%- endif -%}
{%- endmacro %}
