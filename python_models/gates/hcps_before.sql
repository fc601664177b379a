with

last_good_run as (select * from {{ ref('last_good_run') }}),

final as (
    select kept.hcp_id
    from {{ memory('hcps', {'run_id': 'text', 'hcp_id': 'text'}) }} as kept
    inner join last_good_run on kept.run_id = last_good_run.run_id
)

select * from final
