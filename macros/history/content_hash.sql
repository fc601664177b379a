{#- One row (row_count, content_hash) of a query of digests: rows in any order give the same, no row can be changed, added or lost without
    another hash. Digests are put together in two steps, so that no text grows with the table: 4,096 parts by their first digits. -#}
{% macro content_hash(digests) -%}
    select
        cast(coalesce(sum(parts.row_count), 0) as bigint) as row_count,
        {{ sha256_text("coalesce(" ~ joined_text('parts.part_hash', '', 'parts.part') ~ ", '')") }} as content_hash
    from (
        select
            substr(rows_digested.digest, 1, 3) as part,
            count(*) as row_count,
            {{ sha256_text(joined_text('rows_digested.digest', '', 'rows_digested.digest')) }} as part_hash
        from ({{ digests }}) as rows_digested
        group by substr(rows_digested.digest, 1, 3)
    ) as parts
{%- endmacro %}
