-- A training row's outcome lies in a finished cycle after its snapshot, and has at least one touch.
select
    training.hcp_id,
    training.channel,
    training.snapshot_date
from {{ ref('feat_training') }} as training
inner join {{ ref('feat_snapshots') }} as snapshots on training.snapshot_date = snapshots.snapshot_date
cross join {{ ref('run_config') }} as run_config
where snapshots.outcome_end > run_config.cycle_start
    or training.snapshot_date >= run_config.cycle_start
    or training.label_touches <= 0
    or training.label_responses < 0
    or training.label_responses > training.label_touches
