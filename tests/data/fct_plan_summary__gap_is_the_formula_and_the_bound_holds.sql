select
    objective,
    penalty,
    upper_bound,
    gap
from {{ ref('fct_plan_summary') }}
where upper_bound < objective - penalty - 1e-6 * (1 + abs(objective - penalty))
    or price_bound < upper_bound - 1e-6 * (1 + abs(upper_bound))
    or gap < 0
    or abs(
        gap - (upper_bound - (objective - penalty))
        / case when abs(objective - penalty) > 1e-9 then abs(objective - penalty) else 1e-9 end
    ) > 1e-6
