-- depends_on: {{ ref('gate_input_quality') }}
with

publications as (
    select *
    from {{ memory('publications', {'run_id': 'text', 'cycle_start': 'date', 'action': 'text', 'published_at': 'timestamp'}) }} as publications
),

plans as (
    select *
    from {{ memory('plan_summary', {'run_id': 'text', 'cycle_start': 'date', 'cycle_end': 'date'}) }} as plans
),

run_config as (select * from {{ ref('run_config') }}),

-- up to where history is known at the start of the present cycle
kpi as (
    select max(kpi.period_end) as known_until
    from {{ ref('stg_kpi') }} as kpi
    cross join run_config
    where kpi.known_from <= run_config.cycle_start
),

engagement as (
    select max(engagement.period_end) as known_until
    from {{ ref('stg_engagement') }} as engagement
    cross join run_config
    where engagement.known_from <= run_config.cycle_start
),

-- the last row of each cycle says which run holds there
latest as (
    select
        publications.*,
        row_number() over (partition by cycle_start order by published_at desc) as recency
    from publications
),

-- going back to an earlier cycle takes back what was published for later ones before
holding as (
    select
        plans.run_id,
        plans.cycle_start,
        plans.cycle_end,
        row_number() over (order by plans.cycle_start desc) as cycles_back
    from latest
    inner join plans on latest.run_id = plans.run_id
    cross join run_config
    where latest.recency = 1
        and latest.cycle_start < run_config.cycle_start
        and not exists (
            select 1
            from publications
            where publications.action = 'rollback'
                and publications.published_at > latest.published_at
                and publications.cycle_start < latest.cycle_start
        )
),

-- a year of four-week cycles: of older ones the field has learned what there was to learn
final as (
    select
        holding.run_id as measured_run_id,
        holding.cycle_start as measured_cycle,
        holding.cycle_end as measured_cycle_end,
        coalesce(holding.cycle_end <= kpi.known_until, false) as is_kpi_known,
        coalesce(holding.cycle_end <= engagement.known_until, false) as are_touches_known
    from holding
    cross join kpi
    cross join engagement
    where holding.cycles_back <= 13
)

select * from final
