-- depends_on: {{ ref('gate_input_quality') }}
with

given as (select * from {{ ref('base_rule_min_gap') }}),

final as (
    select
        cast(last_channel as text) as last_channel,
        cast(channel as text) as channel,
        cast(min_days as integer) as min_days
    from given
)

select * from final
