-- depends_on: {{ ref('gate_inputs') }}
with

given as (select * from {{ ref('base_suggestion_feedback') }}),

final as (
    select
        cast(recommendation_id as text) as recommendation_id,
        cast(status as text) as status,
        cast(reason as text) as reason,
        cast({{ adapter.quote('at') }} as timestamp) as {{ adapter.quote('at') }},
        cast({{ adapter.quote('by') }} as text) as {{ adapter.quote('by') }}
    from given
)

select * from final
