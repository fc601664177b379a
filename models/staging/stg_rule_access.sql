-- depends_on: {{ ref('gate_input_quality') }}
with

given as (select * from {{ ref('base_rule_access') }}),

final as (
    select
        cast(rep_access as text) as rep_access,
        cast(channel as text) as channel
    from given
)

select * from final
