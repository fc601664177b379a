{#- A view: who explains reads the planned pairs once each, of millions that are scored. -#}
{{ config(materialized='view') }}
with

actions as (select * from {{ ref('plan_actions') }}),

scores as (select * from {{ ref('score_engagement') }}),

impact as (select * from {{ ref('score_impact') }}),

final as (
    select
        actions.hcp_id,
        actions.channel,
        actions.touches,
        actions.earliest_date,
        actions.latest_date,
        scores.engagement_probability,
        {%- for k in range(1, 6) %}
        scores.driver_{{ k }},
        scores.driver_{{ k }}_value,
        scores.driver_{{ k }}_contribution,
        {%- endfor %}
        impact.expected_impact,
        impact.expected_impact_low,
        impact.expected_impact_high,
        impact.impact_base,
        {%- for k in range(1, 6) %}
        impact.impact_driver_{{ k }},
        impact.impact_driver_{{ k }}_value,
        impact.impact_driver_{{ k }}_contribution,
        {%- endfor %}
        impact.impact_other,
        impact.impact_status
    from actions
    left join scores
        on actions.hcp_id = scores.hcp_id
        and actions.channel = scores.channel
    left join impact
        on actions.hcp_id = impact.hcp_id
        and actions.channel = impact.channel
)

select * from final
