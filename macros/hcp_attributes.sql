{#- Columns of hcp_master that the run has switched on as features and that it has: `[{name, data_type}]`, each once; empty while parsing. -#}
{% macro hcp_attributes() -%}
    {%- set found = [] -%}
    {%- if execute -%}
        {%- set types = {} -%}
        {%- set relation = load_relation(ref('stg_hcp_master')) -%}
        {%- if relation is not none -%}
            {%- for column in adapter.get_columns_in_relation(relation) -%}
                {%- do types.update({column.name | lower: column.data_type}) -%}
            {%- endfor -%}
        {%- endif -%}
        {%- for name in switches()['values']['hcp_attributes'] | unique if name in types -%}
            {%- do found.append({'name': name, 'data_type': types[name]}) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(found) }}
{%- endmacro %}
