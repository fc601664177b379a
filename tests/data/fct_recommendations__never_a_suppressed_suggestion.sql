-- What the field dismissed is left alone on its days; a manager's pin wins.
with

pinned as (
    select
        overrides.hcp_id,
        overrides.channel
    from {{ ref('stg_rule_override') }} as overrides
    cross join {{ ref('run_config') }} as run
    where overrides.action = 'pin'
        and (overrides.valid_from is null or overrides.valid_from < run.cycle_end)
        and (overrides.valid_to is null or overrides.valid_to >= run.cycle_start)
)

select
    actions.hcp_id,
    actions.channel,
    suppressions.valid_to
from {{ ref('fct_recommendations') }} as actions
inner join {{ ref('stg_suppressions') }} as suppressions
    on actions.hcp_id = suppressions.hcp_id and actions.channel = suppressions.channel
left join pinned on actions.hcp_id = pinned.hcp_id and actions.channel = pinned.channel
where pinned.hcp_id is null
    and actions.earliest_date <= suppressions.valid_to
    and actions.latest_date >= suppressions.valid_from
