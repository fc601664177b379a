-- depends_on: {{ ref('memory__plan_summary') }}
with

run as (select * from {{ ref('run_config') }}),

publications as (select * from {{ publications() }}),

-- only after this run has become the published one
published_now as (
    select decided.run_id
    from {{ ref('publish') }} as decided
    inner join run on decided.run_id = run.run_id
    where decided.decision = 'published' and decided.run_id in {{ published_run() }}
),

ranked as (
    select
        run_id,
        row_number() over (order by max(published_at) desc, run_id) as place
    from publications
    group by run_id
),

-- the run that holds in each of as many cycles: monitoring and gates look back at whole plans, however often one was published
holding as (
    select held.run_id
    from (
        select
            run_id,
            row_number() over (partition by cycle_start order by published_at desc) as recency,
            dense_rank() over (order by cycle_start desc) as cycles_back
        from publications
    ) as held
    where held.recency = 1 and held.cycles_back <= {{ var('nba_keep_runs') | int }}
),

numbered as (
    select distinct
        run_id,
        run_number
    from {{ ref('memory__inputs_by_run') }}
),

oldest_kept as (
    select min(numbered.run_number) as run_number
    from ranked
    inner join numbered on ranked.run_id = numbered.run_id
    where ranked.place <= {{ var('nba_keep_runs') | int }}
),

kept as (
    select distinct
        run_id,
        cycle_start
    from {{ ref('memory__plan_summary') }}
),

-- runs that were published long ago, and runs that never were and are older than all that stay
final as (
    select
        kept.run_id,
        kept.cycle_start,
        published_now.run_id as pruned_by
    from kept
    cross join published_now
    cross join oldest_kept
    left join ranked on kept.run_id = ranked.run_id
    left join numbered on kept.run_id = numbered.run_id
    where kept.run_id <> published_now.run_id
        and kept.run_id not in (select holding.run_id from holding)
        and (ranked.place > {{ var('nba_keep_runs') | int }} or (ranked.place is null and coalesce(numbered.run_number, 0) < oldest_kept.run_number))
        and kept.run_id not in (select earlier.run_id from {{ memory('pruned_runs', {'run_id': 'text'}) }} as earlier)
)

select * from final
