-- depends_on: {{ ref('publish') }}
with

kept as (select * from {{ ref('memory__model_register').render() }}),

publications as (select * from {{ publications() }}),

pointer as (
    select
        run_id,
        cycle_start
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

-- the last that was said of each version
said as (
    select
        kept.*,
        row_number() over (partition by kept.model, kept.model_version order by kept.cycle_start desc) as recency
    from kept
    inner join counting on kept.run_id = counting.run_id
    where counting.newest = 1
),

final as (
    select
        said.run_id,
        said.cycle_start,
        said.model,
        said.model_version,
        -- who scored or waited in an earlier cycle and is not in hand any more has been retired
        case when pointer.run_id is null then 'retired' else said.stage end as stage,
        said.is_fitted,
        said.is_promoted,
        said.fitted_cycle,
        said.model_kind,
        said.trained_rows,
        said.trained_from,
        said.trained_through,
        said.loss,
        said.champion_loss,
        said.held_out_touches,
        said.approval,
        said.approved_by,
        said.approved_at,
        said.stage_reason
    from said
    left join pointer on said.run_id = pointer.run_id
    where said.recency = 1
)

select * from final
