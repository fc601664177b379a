{{ config(materialized='view') }}
with

cycles as (select * from {{ ref('measure_cycles') }}),

answers as (select * from {{ ref('stg_suggestion_answers') }}),

final as (
    select
        cycles.measured_cycle,
        cycles.measured_cycle_end,
        cycles.are_touches_known,
        recommendations.territory_id,
        recommendations.rep_id,
        recommendations.hcp_id,
        recommendations.channel,
        recommendations.touches,
        answers.status,
        answers.reason
    from {{ memory('recommendations', {
        'recommendation_id': 'text', 'run_id': 'text', 'territory_id': 'text', 'rep_id': 'text', 'hcp_id': 'text', 'channel': 'text',
        'touches': 'integer',
    }) }} as recommendations
    inner join cycles on recommendations.run_id = cycles.measured_run_id
    left join answers on recommendations.recommendation_id = answers.recommendation_id
)

select * from final
