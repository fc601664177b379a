-- depends_on: {{ ref('gate_input_quality') }}
with

given as (select * from {{ ref('base_rule_channel_capacity') }}),

final as (
    select
        cast(channel as text) as channel,
        cast(territory_id as text) as territory_id,
        cast(min_actions as double precision) as min_actions,
        cast(max_actions as double precision) as max_actions
    from given
)

select * from final
