{%- set kept = kept_inputs() %}
with

run as (select * from {{ ref('run_config') }}),

fingerprint as (select * from {{ ref('input_fingerprint') }}),

earlier as (
    select coalesce(max(runs.run_number), 0) as run_number
    from {{ memory('inputs_by_run', {'run_id': 'text', 'run_number': 'integer'}) }} as runs
    where runs.run_id not in (select run.run_id from run)
),

tables as (
    {%- for name in fingerprinted_tables() %}
    select
        {{ text_literal(name) }} as table_name,
        {{ text_literal((kept.get(name) or {}).get('kept_as') or '') }} as kept_as,
        {{ text_literal((kept.get(name) or {}).get('not_kept') or '') }} as not_kept
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

final as (
    select
        run.run_id,
        run.cycle_start,
        cast(earlier.run_number + 1 as integer) as run_number,
        tables.table_name,
        -- the fingerprint says `table=rows:hash;` of each
        cast(split_part(split_part(split_part(fingerprint.table_hashes, tables.table_name || '=', 2), ';', 1), ':', 1) as bigint) as row_count,
        split_part(split_part(split_part(fingerprint.table_hashes, tables.table_name || '=', 2), ';', 1), ':', 2) as content_hash,
        nullif(tables.kept_as, '') as kept_as,
        nullif(tables.not_kept, '') as not_kept
    from tables
    cross join run
    cross join fingerprint
    cross join earlier
)

select * from final
