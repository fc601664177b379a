-- depends_on: {{ ref('gate_input_quality') }}
with

given as (select * from {{ ref('base_suggestion_feedback') }}),

final as (
    select
        cast(recommendation_id as text) as recommendation_id,
        cast(status as text) as status,
        cast(reason as text) as reason,
        cast({{ own_column('at') }} as timestamp) as {{ own_column('at') }},
        cast({{ own_column('by') }} as text) as {{ own_column('by') }}
    from given
)

select * from final
