with

kept as (select * from {{ ref('memory__plan_summary').render() }}),

-- runs that came to their end: what a build that failed or was killed left in memory is no history
ended as (select run_id from {{ ref('publish').render() }}),

publications as (select * from {{ publications() }}),

pointer as (
    select run_id
    from publications
    where published_at = (select max(published_at) from publications)
),

published as (
    select
        run_id,
        max(published_at) as published_at
    from publications
    group by run_id
),

final as (
    select
        kept.run_id,
        kept.cycle_start,
        kept.cycle_end,
        pointer.run_id is not null as is_published,
        published.published_at,
        kept.status,
        kept.objective,
        kept.penalty,
        kept.upper_bound,
        kept.price_bound,
        kept.gap,
        kept.solve_gap,
        kept.stability_cost,
        kept.expected_impact,
        kept.total_cost,
        kept.actions,
        kept.hcps_reached,
        kept.seconds,
        kept.solver,
        kept.input_fingerprint,
        kept.code_version,
        kept.model_version
    from kept
    inner join ended on kept.run_id = ended.run_id
    left join pointer on kept.run_id = pointer.run_id
    left join published on kept.run_id = published.run_id
)

select * from final
