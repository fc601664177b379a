-- A manager's pin whose validity touches the cycle is planned.
with

pins as (
    select pins.*
    from {{ ref('stg_rule_override') }} as pins
    cross join {{ ref('run_config') }} as run
    where pins.action = 'pin'
        and coalesce(pins.valid_from, run.cycle_start) < run.cycle_end
        and coalesce(pins.valid_to, run.cycle_start) >= run.cycle_start
)

select
    pairs.hcp_id,
    pairs.channel
from {{ ref('fct_hcp_channel_scores') }} as pairs
inner join pins
    on (pins.hcp_id is null or pins.hcp_id in ('*', pairs.hcp_id))
    and (pins.channel is null or pins.channel in ('*', pairs.channel))
where not pairs.is_planned
