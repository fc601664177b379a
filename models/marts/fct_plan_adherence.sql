with

adherence as (select * from {{ ref('measure_adherence') }}),

run as (select * from {{ ref('run_config') }}),

final as (
    select
        run.run_id,
        run.cycle_start,
        {{ date_text('adherence.measured_cycle') }} as measured_cycle,
        adherence.territory_id,
        adherence.rep_id,
        adherence.channel,
        case when adherence.are_touches_known then 'measured' else 'not_yet_known' end as status,
        case when not adherence.are_touches_known then 'the touches of the cycle are not wholly known yet' end as reason,
        cast(adherence.planned as integer) as planned,
        cast(adherence.planned_touches as integer) as planned_touches,
        cast(adherence.accepted as integer) as accepted,
        cast(adherence.dismissed as integer) as dismissed,
        cast(adherence.executed as integer) as executed,
        cast(adherence.expired as integer) as expired,
        cast(adherence.without_feedback as integer) as without_feedback,
        cast(case when adherence.are_touches_known then adherence.touched end as integer) as touched,
        cast(case when adherence.are_touches_known then adherence.touches_done end as integer) as touches_done,
        case
            when adherence.are_touches_known then cast(adherence.touched as double precision) / adherence.planned
        end as adherence_rate
    from adherence
    cross join run
)

select * from final
