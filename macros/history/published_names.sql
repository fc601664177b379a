{#- The published tables by name, as SQL literals separated by commas. -#}
{% macro published_names() -%}
    {%- set names = [] -%}
    {%- set room = room_relation('published', 'x').schema -%}
    {%- for node in (graph.nodes.values() if execute else []) if node.resource_type == 'model' and node.schema == room -%}
        {%- do names.append(text_literal(node.alias)) -%}
    {%- endfor -%}
    {{ return(names | sort | join(', ') or 'null') }}
{%- endmacro %}
