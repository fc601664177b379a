with

cycles as (select * from {{ ref('measure_cycles') }}),

explorers as (
    select
        measured_cycle,
        hcp_id
    from {{ ref('measure_hcps') }}
    where arm = 'explore'
),

distribution as (
    select *
    from {{ memory('explore_distribution', {
        'run_id': 'text', 'hcp_id': 'text', 'channel': 'text', 'propensity': 'double precision', 'is_drawn': 'boolean',
    }) }} as distribution
),

scores as (
    select *
    from {{ memory('hcp_channel_scores', {
        'run_id': 'text', 'hcp_id': 'text', 'channel': 'text', 'expected_impact': 'double precision',
    }) }} as scores
),

-- an action of probability 0 was not open to the HCP
final as (
    select
        cycles.measured_cycle,
        distribution.hcp_id,
        distribution.channel,
        distribution.propensity,
        distribution.is_drawn,
        scores.expected_impact
    from distribution
    inner join cycles on distribution.run_id = cycles.measured_run_id
    inner join explorers
        on cycles.measured_cycle = explorers.measured_cycle
        and distribution.hcp_id = explorers.hcp_id
    left join scores
        on distribution.run_id = scores.run_id
        and distribution.hcp_id = scores.hcp_id
        and distribution.channel = scores.channel
    where distribution.propensity > 0
)

select * from final
