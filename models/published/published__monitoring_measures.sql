-- depends_on: {{ ref('publish') }}
with

kept as (select * from {{ ref('memory__monitoring_measures').render() }}),

final as (
    select *
    from kept
    where run_id in {{ published_run() }}
)

select * from final
