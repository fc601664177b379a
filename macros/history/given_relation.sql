{#- A table of the contract as the run was given it, by its source properties: the sample's seeds bear the same names. -#}
{% macro given_relation(node) -%}
    {%- set is_rule = node.source_name == 'rules' -%}
    {%- set schema = (var('rule_schema', '') if is_rule else '') or var('input_schema', 'sample') -%}
    {%- set schema = generate_schema_name(schema, node) | trim if schema == 'sample' else schema -%}
    {%- set named = {} if is_rule or var('input_tables', {}) is not mapping else var('input_tables', {}) -%}
    {{ return(api.Relation.create(database=var('input_database', '') or target.database, schema=schema, identifier=named.get(node.name) or node.name)) }}
{%- endmacro %}
