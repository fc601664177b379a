-- depends_on: {{ ref('publish') }}
with

kept as (select * from {{ ref('memory__recommendations').render() }}),

publications as (select * from {{ publications() }}),

-- a rollback brings a plan back, it does not make it newer
published as (
    select
        run_id,
        min(published_at) as published_at
    from publications
    where action = 'publish'
    group by run_id
),

final as (
    select
        kept.*,
        published.published_at
    from kept
    inner join published on kept.run_id = published.run_id
    where kept.run_id in {{ published_run() }}
)

select * from final
