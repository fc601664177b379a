with

hcps as (select * from {{ ref('dim_hcps') }}),

final as (
    select
        run_id,
        cycle_start,
        territory_id,
        territory_id as label,
        cast(count(*) as integer) as hcps,
        cast(count(distinct rep_id) as integer) as reps
    from hcps
    group by run_id, cycle_start, territory_id
)

select * from final
