{#- SHA-256 of a row as text: its columns in the order of their names, exact to the last bit of a number, null apart from every text. -#}
{% macro row_digest(columns, relation_name) -%}
    {%- set parts = [] -%}
    {%- for column in columns | sort(attribute='name') -%}
        {%- set own = relation_name ~ '.' ~ adapter.quote(column.name) -%}
        {%- set kind = column.data_type | lower -%}
        {%- if kind.startswith('timestamp') -%}
            {%- set words = moment_text(own) -%}
        {%- elif kind == 'date' -%}
            {%- set words = date_text(own) -%}
        {%- elif 'char' in kind or kind == 'text' -%}
            {%- set words = 'replace(replace(' ~ own ~ ', chr(92), chr(92) || chr(92)), chr(31), chr(92) || chr(48))' -%}
        {%- else -%}
            {%- set words = 'cast(' ~ own ~ ' as text)' -%}
        {%- endif -%}
        {%- do parts.append('coalesce(' ~ words ~ ", chr(92) || 'N')") -%}
    {%- endfor -%}
    {{ return(sha256_text(parts | join(' || chr(31) || '))) }}
{%- endmacro %}
