-- depends_on: {{ ref('gate_plan') }}
with

facts as (select * from {{ ref('plan_solution') }}),

final as (
    select
        max(case when field = 'rep_id' then detail end) as rep_id,
        max(case when field = 'used' then number end) as used,
        max(case when field = 'limit_value' then number end) as limit_value,
        cast(max(case when field = 'touches' then number end) as integer) as touches
    from facts
    where kind = 'rep'
    group by item
)

select * from final
