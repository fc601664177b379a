-- depends_on: {{ ref('gate_input_quality') }}
with

given as (select * from {{ ref('base_rule_incompatible') }}),

final as (
    select
        cast(channel_a as text) as channel_a,
        cast(channel_b as text) as channel_b
    from given
)

select * from final
