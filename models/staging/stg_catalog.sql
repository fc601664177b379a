-- depends_on: {{ ref('gate_input_quality') }}
with

given as (select * from {{ ref('base_engagement_action_catalog') }}),

run_config as (select * from {{ ref('run_config') }}),

responding as (
    select distinct engagement.channel
    from {{ ref('stg_engagement') }} as engagement
    cross join run_config
    where engagement.responses is not null
        and engagement.known_from <= run_config.cycle_start
),

typed as (
    select
        cast(channel as text) as channel,
        cast(label as text) as label,
        cast(channel_type as text) as channel_type,
        cast(unit_cost as double precision) as unit_cost,
        cast(expected_uplift as double precision) as expected_uplift,
        lower(cast(uplift_basis as text)) as uplift_basis,
        cast(rep_minutes as double precision) as rep_minutes,
        cast(requires_consent as boolean) as requires_consent,
        cast(max_touches as integer) as max_touches
    from given
),

final as (
    select
        typed.channel,
        coalesce(typed.label, typed.channel) as label,
        typed.channel_type,
        typed.unit_cost,
        typed.expected_uplift,
        coalesce(typed.uplift_basis, 'touch') as uplift_basis,
        coalesce(typed.rep_minutes, 0) as rep_minutes,
        coalesce(typed.requires_consent, false) as requires_consent,
        coalesce(typed.max_touches, 1) as max_touches,
        responding.channel is not null as records_responses
    from typed
    left join responding on typed.channel = responding.channel
)

select * from final
