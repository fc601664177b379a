with

hcps as (select hcp_id from {{ ref('stg_hcp_master') }}),

run_config as (select * from {{ ref('run_config') }}),

ordered as (
    select
        hcp_id,
        row_number() over (order by {{ text_order('md5(hcp_id)') }}, {{ text_order('hcp_id') }}) as draw
    from hcps
),

final as (
    select ordered.hcp_id
    from ordered
    cross join run_config
    where ordered.draw <= run_config.training_hcps
)

select * from final
