-- depends_on: {{ ref('gate_plan') }}
with

facts as (select * from {{ ref('plan_solution') }}),

final as (
    select
        max(case when field = 'status' then detail end) as status,
        max(case when field = 'objective' then number end) as objective,
        max(case when field = 'penalty' then number end) as penalty,
        max(case when field = 'upper_bound' then number end) as upper_bound,
        max(case when field = 'price_bound' then number end) as price_bound,
        max(case when field = 'gap' then number end) as gap,
        max(case when field = 'solve_gap' then number end) as solve_gap,
        max(case when field = 'stability_cost' then number end) as stability_cost,
        max(case when field = 'expected_impact' then number end) as expected_impact,
        max(case when field = 'total_cost' then number end) as total_cost,
        cast(max(case when field = 'actions' then number end) as integer) as actions,
        cast(max(case when field = 'hcps_reached' then number end) as integer) as hcps_reached,
        max(case when field = 'seconds' then number end) as seconds,
        max(case when field = 'solver' then detail end) as solver,
        max(case when field = 'input_fingerprint' then detail end) as input_fingerprint,
        max(case when field = 'code_version' then detail end) as code_version,
        max(case when field = 'model_version' then detail end) as model_version
    from facts
    where kind = 'run'
    group by item
)

select * from final
