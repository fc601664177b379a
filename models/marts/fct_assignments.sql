with

hcps as (select * from {{ ref('dim_hcps') }}),

-- no arm is drawn yet: everyone is planned for, with certainty
final as (
    select
        run_id,
        cycle_start,
        brand_id,
        territory_id,
        rep_id,
        hcp_id,
        'plan' as arm,
        cast(1 as double precision) as arm_probability,
        territory_id || '|' || coalesce({{ plain_number('decile') }}, 'unknown') as stratum,
        cast(null as text) as shadow_channel
    from hcps
)

select * from final
