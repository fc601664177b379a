select
    count(*) as actions,
    min(priority) as lowest,
    max(priority) as highest,
    count(distinct priority) as priorities
from {{ ref('fct_recommendations') }}
having count(*) > 0 and (min(priority) != 1 or max(priority) != count(*) or count(distinct priority) != count(*))
