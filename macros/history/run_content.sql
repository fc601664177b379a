{#- Query of one row (row_count, content_hash): the rows of a run in a memory table, without what two equal builds may differ in. What is too large for
    a digest of each row is hashed by the engine, where it can. -#}
{% macro run_content(relation, run_id) -%}
    {%- set columns = [] -%}
    {%- for column in (adapter.get_columns_in_relation(relation) if execute else []) if column.name | lower not in exempt_columns() -%}
        {%- do columns.append(column) -%}
    {%- endfor -%}
    {%- set kept = relation ~ ' as kept where kept.run_id = ' ~ run_id -%}
    {%- set hashed = engine_hashes(columns, 'kept') if columns and relation.identifier | lower in pruned_tables() + ['hcp_channel_scores'] else [] -%}
    {%- if hashed -%}
        select
            count(*) as row_count,
            {{ sha256_text("coalesce(" ~ hashed | join(" || ' ' || ") ~ ", '')") }} as content_hash
        from {{ kept }}
    {%- else -%}
        {{ content_hash('select ' ~ (row_digest(columns, 'kept') if columns else 'cast(null as text)') ~ ' as digest from ' ~ kept) }}
    {%- endif -%}
{%- endmacro %}
