-- depends_on: {{ ref('publish') }}
with

kept as (select * from {{ ref('memory__churn_performance').render() }}),

publications as (select * from {{ publications() }}),

pointer as (
    select cycle_start
    from publications
    where published_at = (select max(published_at) from publications)
),

-- of an earlier cycle the run counts that was published last; later cycles were rolled back
counting as (
    select
        publications.run_id,
        row_number() over (partition by publications.cycle_start order by publications.published_at desc) as newest
    from publications
    cross join pointer
    where publications.cycle_start <= pointer.cycle_start
),

final as (
    select kept.*
    from kept
    inner join counting on kept.run_id = counting.run_id
    where counting.newest = 1
)

select * from final
