with

feedback as (select * from {{ ref('stg_suggestion_feedback') }}),

run_config as (select * from {{ ref('run_config') }}),

known as (
    select
        feedback.recommendation_id,
        feedback.status,
        case when trim(feedback.reason) <> '' then trim(feedback.reason) end as reason,
        feedback.{{ own_column('at') }} as answered_at,
        feedback.{{ own_column('by') }} as answered_by
    from feedback
    cross join run_config
    where feedback.{{ own_column('at') }} is null
        or {{ first_day_known('feedback.' ~ own_column('at')) }} <= run_config.cycle_start
),

-- what was said last counts, undated words first of all; of words of one moment the later in the course of an action
ranked as (
    select
        known.*,
        row_number() over (
            partition by recommendation_id
            order by
                coalesce(answered_at, cast('1900-01-01' as timestamp)) desc,
                case status when 'executed' then 1 when 'dismissed' then 2 when 'accepted' then 3 else 4 end,
                {{ text_order("coalesce(reason, '')") }},
                {{ text_order("coalesce(answered_by, '')") }}
        ) as recency
    from known
),

final as (
    select
        recommendation_id,
        status,
        reason,
        answered_at,
        answered_by
    from ranked
    where recency = 1
)

select * from final
