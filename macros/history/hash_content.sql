{#- Post-hook of every memory table, in the transaction that wrote the rows of the run: their hash. -#}
{% macro hash_content(relation) -%}
    {%- set columns = adapter.get_columns_in_relation(relation) if execute else [] -%}
    {%- if 'run_id' in columns | map(attribute='name') | map('lower') -%}
        {%- set run = '(select max(run_id) from ' ~ room_relation('checks', 'run_config') ~ ')' -%}
        delete from {{ content_hashes() }} where run_id = {{ run }} and table_name = {{ text_literal(relation.identifier | lower) }};
        insert into {{ content_hashes() }} (run_id, table_name, row_count, content_hash)
        select
            found_run.run_id,
            {{ text_literal(relation.identifier | lower) }} as table_name,
            found.row_count,
            found.content_hash
        from (select max(run_id) as run_id from {{ room_relation('checks', 'run_config') }}) as found_run
        cross join ({{ run_content(relation, run) }}) as found
        where found_run.run_id is not null
    {%- endif -%}
{%- endmacro %}
