-- depends_on: {{ ref('gate_parity') }}
with

segments as (select * from {{ ref('parity_segments') }}),

run as (select * from {{ ref('run_config') }}),

final as (
    select
        run.run_id,
        run.cycle_start,
        segments.territory_id,
        segments.segment,
        segments.value,
        segments.hcps,
        segments.open_hcps,
        segments.hcps_reached,
        segments.reach_rate,
        segments.value_per_hcp,
        segments.reach_ratio,
        segments.value_ratio,
        segments.status,
        case
            when segments.status in ('ok', 'small') then null
            when not segments.is_known then 'no floor can name HCPs without a value: fill in the column'
            when segments.floor_hcps is null then 'all that may be contacted are reached: a floor cannot lift what they are expected to bring'
            when segments.reach_ratio >= {{ switches()['values']['nba_fairness_warn'] if execute else 1 }}
                then {{ floor_words('segments') }} || '; their reach is even, so this adds the actions that bring least'
            else {{ floor_words('segments') }}
        end as remedy
    from segments
    cross join run
)

select * from final
