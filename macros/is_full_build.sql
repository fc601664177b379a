{#- Whether this is `dbt build` of everything (or the retry of one): the only invocation that may publish. -#}
{% macro is_full_build() -%}
    {%- set narrowing = ['select', 'models', 'exclude', 'selector', 'resource_types', 'exclude_resource_types', 'empty', 'sample'] -%}
    {%- set given = [] -%}
    {%- for name in narrowing if invocation_args_dict.get(name) -%}
        {%- do given.append(name) -%}
    {%- endfor -%}
    {%- if flags.WHICH != 'build' or given -%}
        {{ return(false) }}
    {%- endif -%}
    {#- a default selector narrows without an argument; a retry knows no selection of its own; tests of a model that is switched off stay in the graph -#}
    {%- if execute and selected_resources -%}
        {%- for node in graph.nodes.values() if node.resource_type in ['model', 'seed', 'snapshot', 'test'] and node.config.enabled and node.unique_id not in selected_resources -%}
            {{ return(false) }}
        {%- endfor -%}
    {%- endif -%}
    {{ return(true) }}
{%- endmacro %}
