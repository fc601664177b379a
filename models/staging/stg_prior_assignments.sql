-- depends_on: {{ ref('gate_input_quality') }}
with

publications as (
    select *
    from {{ memory('publications', {'run_id': 'text', 'cycle_start': 'date', 'action': 'text', 'published_at': 'timestamp'}) }} as publications
),

assignments as (
    select *
    from {{ memory('assignments', {
        'run_id': 'text', 'arm': 'text', 'arm_probability': 'double precision', 'stratum': 'text',
        'unit_id': 'text', 'drawn_cycle': 'date', 'draw_design': 'text',
    }) }} as assignments
),

run_config as (select * from {{ ref('run_config') }}),

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
        latest.run_id,
        latest.cycle_start
    from latest
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

-- the members of a unit share its draw
units as (
    select
        assignments.unit_id,
        assignments.draw_design,
        holding.cycle_start,
        min(assignments.arm) as arm,
        min(assignments.arm_probability) as arm_probability,
        min(assignments.stratum) as stratum,
        min(assignments.drawn_cycle) as drawn_cycle
    from assignments
    inner join holding on assignments.run_id = holding.run_id
    where assignments.unit_id is not null and assignments.draw_design not in ('none', 'pinned')
    group by assignments.unit_id, assignments.draw_design, holding.cycle_start
),

newest as (
    select
        units.*,
        row_number() over (partition by unit_id, draw_design order by cycle_start desc) as recency
    from units
),

final as (
    select
        unit_id,
        draw_design,
        cycle_start,
        arm,
        arm_probability,
        stratum,
        drawn_cycle
    from newest
    where recency = 1
)

select * from final
