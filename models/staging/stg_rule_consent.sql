-- depends_on: {{ ref('gate_input_quality') }}
with

given as (select * from {{ ref('base_rule_consent') }}),

final as (
    select
        cast(hcp_id as text) as hcp_id,
        cast(channel as text) as channel,
        lower(cast(status as text)) as status,
        cast(captured_at as timestamp) as captured_at,
        cast(expires_at as date) as expires_at
    from given
)

select * from final
