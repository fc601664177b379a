-- Soft floors may fall short, by exactly what they report.
select
    limit_id,
    label,
    side,
    limit_value,
    used,
    shortfall
from {{ ref('fct_constraint_prices') }}
where (side = 'max' and used > limit_value + 1e-6 * (1 + abs(limit_value)))
    or (side = 'min' and used + coalesce(shortfall, 0) < limit_value - 1e-6 * (1 + abs(limit_value)))
    or (coalesce(shortfall, 0) > 0 and coalesce(hardness, 'hard') != 'soft')
