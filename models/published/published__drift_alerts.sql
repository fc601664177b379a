-- depends_on: {{ ref('publish') }}
with

kept as (select * from {{ ref('memory__drift_alerts').render() }}),

final as (
    select *
    from kept
    where run_id in {{ published_run() }}
)

select * from final
