-- Rows of this run by HCP: none twice, none missing, of no HCP that is not there. One pass over what may be many millions of rows.
with

found as (
    select
        hcp_id,
        count(*) as found_rows,
        count(distinct period_start) as periods
    from {{ ref('memory__hcp_period_metrics') }}
    where run_id in (select run_id from {{ ref('run_config') }})
    group by hcp_id
),

due as (
    select least(count(*), 24) as periods
    from {{ ref('stg_periods') }}
    where period_start < (select cycle_start from {{ ref('run_config') }})
)

select
    coalesce(hcps.hcp_id, found.hcp_id) as hcp_id,
    found.found_rows,
    found.periods
from {{ ref('dim_hcps') }} as hcps
full outer join found on hcps.hcp_id = found.hcp_id
cross join due
where found.hcp_id is null
    or hcps.hcp_id is null
    or found.found_rows <> found.periods
    or found.periods <> due.periods
