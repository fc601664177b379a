-- depends_on: {{ ref('gate_input_quality') }}
with

given as (select * from {{ ref('base_current_plan') }}),

final as (
    select
        cast(hcp_id as text) as hcp_id,
        cast(channel as text) as channel,
        cast(touches as integer) as touches
    from given
)

select * from final
