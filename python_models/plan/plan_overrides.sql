-- depends_on: {{ ref('gate_plan') }}
with

facts as (select * from {{ ref('plan_solution') }}),

final as (
    select
        max(case when field = 'source' then detail end) as source,
        max(case when field = 'hcp_id' then detail end) as hcp_id,
        max(case when field = 'channel' then detail end) as channel,
        max(case when field = 'action' then detail end) as action,
        max(case when field = 'reason' then detail end) as reason,
        cast(max(case when field = 'valid_from' then detail end) as date) as valid_from,
        cast(max(case when field = 'valid_to' then detail end) as date) as valid_to,
        max(case when field = 'created_by' then detail end) as created_by,
        cast(max(case when field = 'hcps' then number end) as integer) as hcps,
        max(case when field = 'cost' then number end) as cost,
        max(case when field = 'is_estimate' then number end) = 1 as is_estimate
    from facts
    where kind = 'override'
    group by item
)

select * from final
