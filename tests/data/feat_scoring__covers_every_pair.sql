-- Every HCP is scored on every channel of the catalogue, as of the cycle start, and nothing else is.
with

expected as (
    select
        hcps.hcp_id,
        catalog.channel,
        run_config.cycle_start
    from {{ ref('stg_hcp_master') }} as hcps
    cross join {{ ref('stg_catalog') }} as catalog
    cross join {{ ref('run_config') }} as run_config
)

select
    expected.hcp_id as expected_hcp_id,
    scoring.hcp_id,
    scoring.channel
from expected
full outer join {{ ref('feat_scoring') }} as scoring
    on expected.hcp_id = scoring.hcp_id
    and expected.channel = scoring.channel
    and expected.cycle_start = scoring.snapshot_date
where expected.hcp_id is null or scoring.hcp_id is null
