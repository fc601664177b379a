-- depends_on: {{ ref('gate_plan') }}
with

facts as (select * from {{ ref('plan_solution') }}),

final as (
    select
        max(case when field = 'problem' then detail end) as problem,
        max(case when field = 'detail' then detail end) as detail
    from facts
    where kind = 'warning'
    group by item
)

select * from final
