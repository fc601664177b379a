{#- Whether a rule's attribute and value name an HCP: both relations by alias; columns that hold numbers compare as numbers.
    The tests of limits use it; the plan has its own reading, which these tests hold to account. -#}
{% macro rule_names_hcp(hcps, rules, operator) -%}
    {%- set numbers = ['TINYINT', 'SMALLINT', 'INT', 'BIGINT', 'HUGEINT', 'UINT', 'UTINYINT', 'USMALLINT', 'UBIGINT', 'NUM', 'DEC', 'DOUBLE', 'FLOAT', 'REAL', 'FIXED'] -%}
    (
        {{ rules }}.attribute is null
        or {{ rules }}.value is null
        {%- if execute %}
        or case {{ rules }}.attribute
        {%- for column in adapter.get_columns_in_relation(ref('stg_hcp_master')) %}
            {%- set own = hcps ~ '.' ~ adapter.quote(column.name) %}
            {%- set words = 'cast(' ~ own ~ ' as text)' %}
            when {{ text_literal(column.name | lower) }} then
            {%- set given = column.data_type | upper %}
            {%- if not given.startswith('INTERVAL') and numbers | select('in', [given[:3], given[:4], given[:5], given[:6], given[:7], given[:8], given[:9]]) | list %}
                {{ own }} is not null and case
                    when {{ rules }}.value = '*' then true
                    when {{ operator }} = 'in' then position('|' || {{ plain_number('cast(' ~ own ~ ' as double precision)') }} || '|' in '|' || replace({{ rules }}.value, ' ', '') || '|') > 0
                    when {{ is_not_number_text(rules ~ '.value') }} then false
                    when {{ operator }} = '>=' then {{ own }} >= cast({{ rules }}.value as double precision)
                    else {{ own }} = cast({{ rules }}.value as double precision)
                end
            {%- else %}
                {{ own }} is not null and case
                    when {{ rules }}.value = '*' then true
                    when {{ operator }} = 'in' then position('|' || {{ words }} || '|' in '|' || replace(replace({{ rules }}.value, ' |', '|'), '| ', '|') || '|') > 0
                    when {{ operator }} = '>=' and ({{ is_not_number_text(words) }} or {{ is_not_number_text(rules ~ '.value') }}) then false
                    when {{ operator }} = '>=' then cast({{ words }} as double precision) >= cast({{ rules }}.value as double precision)
                    else {{ words }} = {{ rules }}.value
                end
            {%- endif %}
        {%- endfor %}
            else false
        end
        {%- endif %}
    )
{%- endmacro %}
