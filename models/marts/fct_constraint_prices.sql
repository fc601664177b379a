with

limits as (select * from {{ ref('plan_limits') }}),

run as (select * from {{ ref('run_config') }}),

final as (
    select
        run.run_id,
        run.cycle_start,
        limits.limit_id,
        limits.rule,
        limits.side,
        limits.channel,
        limits.territory_id,
        limits.rep_id,
        limits.attribute,
        limits.value,
        limits.label,
        limits.limit_value,
        limits.used,
        limits.price,
        limits.unit,
        limits.requested,
        limits.effective,
        limits.shortfall,
        limits.hardness,
        limits.step,
        limits.step_gain
    from limits
    cross join run
)

select * from final
