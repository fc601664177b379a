-- depends_on: {{ ref('gate_input_quality') }}
with

given as (select * from {{ ref('base_rule_rep_capacity') }}),

final as (
    select
        cast(rep_id as text) as rep_id,
        cast(territory_id as text) as territory_id,
        cast(channel as text) as channel,
        cast(max_minutes as double precision) as max_minutes,
        cast(max_actions as double precision) as max_actions
    from given
)

select * from final
