-- depends_on: {{ ref('gate_input_quality') }}
with

given as (select * from {{ ref('base_rule_channel_window') }}),

final as (
    select
        cast(channel as text) as channel,
        cast(territory_id as text) as territory_id,
        cast(available_from as date) as available_from,
        cast(available_to as date) as available_to
    from given
)

select * from final
