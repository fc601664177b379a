select count(*) as headers
from {{ ref('fct_plan_summary') }}
having count(*) != 1
