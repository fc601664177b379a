-- depends_on: {{ ref('publish') }}
with

kept as (select * from {{ ref('memory__rule_changes').render() }}),

final as (
    select *
    from kept
    where run_id in {{ published_run() }}
)

select * from final
