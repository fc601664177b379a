-- depends_on: {{ ref('gate_input_quality') }}
with

given as (select * from {{ ref('base_rule_contact_limit') }}),

final as (
    select
        cast(channel as text) as channel,
        lower(cast(attribute as text)) as attribute,
        cast(value as text) as value,
        cast(max_actions as double precision) as max_actions,
        cast(window_days as integer) as window_days
    from given
)

select * from final
