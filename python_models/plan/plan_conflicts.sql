with

facts as (select * from {{ ref('plan_solution') }}),

final as (
    select
        max(case when field = 'rule' then detail end) as rule,
        max(case when field = 'label' then detail end) as label,
        max(case when field = 'limit_id' then detail end) as limit_id,
        max(case when field = 'limit_value' then number end) as limit_value,
        max(case when field = 'problem' then detail end) as problem,
        max(case when field = 'detail' then detail end) as detail,
        max(case when field = 'what_to_do' then detail end) as what_to_do
    from facts
    where kind = 'conflict'
    group by item
)

select * from final
