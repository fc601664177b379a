{#- The columns of nba_fairness_segments that hcp_master has, each with its values as SQL text: `[{name, text}]`; empty while parsing. -#}
{% macro parity_columns() -%}
    {%- set found = [] -%}
    {%- if execute -%}
        {%- set numeric = ['int', 'num', 'dec', 'dou', 'flo', 'rea', 'big', 'sma', 'tin', 'hug', 'uin', 'ubi', 'fix'] -%}
        {%- set columns = columns_of(ref('stg_hcp_master')) -%}
        {%- for name in switches()['values']['nba_fairness_segments'] | map('lower') | unique if name in columns -%}
            {%- set given = columns[name].data_type | lower -%}
            {%- set is_number = given[:3] in numeric and not given.startswith('interval') -%}
            {%- do found.append({'name': name, 'text': plain_number('cast(' ~ own_column(name) ~ ' as double precision)') if is_number else attribute_text(own_column(name), given)}) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(found) }}
{%- endmacro %}
