-- depends_on: {{ ref('gate_plan') }}
with

facts as (select * from {{ ref('plan_solution') }}),

final as (
    select
        max(case when field = 'limit_id' then detail end) as limit_id,
        max(case when field = 'rule' then detail end) as rule,
        max(case when field = 'side' then detail end) as side,
        max(case when field = 'channel' then detail end) as channel,
        max(case when field = 'territory_id' then detail end) as territory_id,
        max(case when field = 'rep_id' then detail end) as rep_id,
        max(case when field = 'attribute' then detail end) as attribute,
        max(case when field = 'value' then detail end) as value,
        max(case when field = 'label' then detail end) as label,
        max(case when field = 'unit' then detail end) as unit,
        max(case when field = 'limit_value' then number end) as limit_value,
        max(case when field = 'used' then number end) as used,
        max(case when field = 'price' then number end) as price,
        max(case when field = 'requested' then number end) as requested,
        max(case when field = 'effective' then number end) as effective,
        max(case when field = 'shortfall' then number end) as shortfall,
        max(case when field = 'hardness' then detail end) as hardness,
        max(case when field = 'step' then number end) as step,
        max(case when field = 'step_gain' then number end) as step_gain
    from facts
    where kind = 'limit'
    group by item
)

select * from final
