-- depends_on: {{ ref('gate_plan') }}
with

solution as (select * from {{ ref('plan_solution') }}),

final as (
    select
        hcp_id,
        channel,
        is_eligible,
        blocked_by,
        earliest_date,
        latest_date,
        reason_kind,
        rule,
        limit_id,
        value_short
    from solution
    where kind = 'pair'
)

select * from final
