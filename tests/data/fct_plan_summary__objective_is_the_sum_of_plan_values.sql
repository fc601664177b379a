-- The header against the rows: objective, cost, actions and HCPs reached.
with

rows_of_plan as (
    select
        coalesce(sum(plan_value), 0) as objective,
        coalesce(sum(cost), 0) as total_cost,
        coalesce(sum(touches * expected_impact), 0) as expected_impact,
        count(*) as actions,
        count(distinct hcp_id) as hcps_reached
    from {{ ref('fct_recommendations') }}
)

select
    header.objective,
    rows_of_plan.objective as sum_of_plan_values,
    header.total_cost,
    rows_of_plan.total_cost as sum_of_costs,
    header.expected_impact,
    rows_of_plan.expected_impact as sum_of_impacts,
    header.actions,
    rows_of_plan.actions as rows_planned,
    header.hcps_reached,
    rows_of_plan.hcps_reached as hcps_planned
from {{ ref('fct_plan_summary') }} as header
cross join rows_of_plan
where abs(header.objective - rows_of_plan.objective) > 1e-6 * (1 + abs(header.objective))
    or abs(header.total_cost - rows_of_plan.total_cost) > 1e-6 * (1 + abs(header.total_cost))
    or abs(header.expected_impact - rows_of_plan.expected_impact) > 1e-6 * (1 + abs(header.expected_impact))
    or header.actions != rows_of_plan.actions
    or header.hcps_reached != rows_of_plan.hcps_reached
