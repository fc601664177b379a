-- depends_on: {{ ref('gate_input_quality') }}
with

given as (select * from {{ ref('base_rule_budget') }}),

final as (
    select
        cast(channel as text) as channel,
        cast(territory_id as text) as territory_id,
        cast(max_cost as double precision) as max_cost
    from given
)

select * from final
