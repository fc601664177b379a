{#- Names of all schemas that a build writes, sorted. -#}
{% macro project_schemas() -%}
    {%- set found = [] -%}
    {%- for node in graph.nodes.values() if node.resource_type in ['model', 'seed'] and node.schema not in found -%}
        {%- do found.append(node.schema) -%}
    {%- endfor -%}
    {{ return(found | sort) }}
{%- endmacro %}
