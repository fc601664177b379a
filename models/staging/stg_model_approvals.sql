-- depends_on: {{ ref('gate_input_quality') }}
with

approvals as (
    select *
    from {{ memory('model_approvals', {'model_version': 'text', 'approved_by': 'text', 'approved_at': 'timestamp'}) }} as approvals
),

ordered as (
    select
        approvals.*,
        row_number() over (partition by model_version order by approved_at, approved_by) as place
    from approvals
),

final as (
    select
        model_version,
        approved_by,
        approved_at
    from ordered
    where place = 1
)

select * from final
