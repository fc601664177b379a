-- depends_on: {{ ref('gate_input_quality') }}
with

given as (select * from {{ ref('base_rule_override') }}),

final as (
    select
        cast(hcp_id as text) as hcp_id,
        cast(channel as text) as channel,
        lower(cast(action as text)) as action,
        cast(reason as text) as reason,
        cast(valid_from as date) as valid_from,
        cast(valid_to as date) as valid_to,
        cast(created_by as text) as created_by
    from given
)

select * from final
