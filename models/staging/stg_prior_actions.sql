-- depends_on: {{ ref('gate_input_quality') }}
with

publications as (
    select *
    from {{ memory('publications', {'run_id': 'text', 'cycle_start': 'date', 'action': 'text', 'published_at': 'timestamp'}) }} as publications
),

recommendations as (
    select *
    from {{ memory('recommendations', {
        'run_id': 'text', 'hcp_id': 'text', 'channel': 'text', 'latest_date': 'date', 'touches': 'integer',
    }) }} as recommendations
),

run_config as (select * from {{ ref('run_config') }}),

-- the newest period of history that is known counts for itself
covered as (
    select max(engagement.period_end) as covered_until
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
    select latest.run_id
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

-- cycles may overlap: actions of two of them can end on the same day
final as (
    select
        recommendations.hcp_id,
        recommendations.channel,
        recommendations.latest_date,
        cast(sum(recommendations.touches) as integer) as touches
    from recommendations
    inner join holding on recommendations.run_id = holding.run_id
    cross join covered
    where covered.covered_until is null or recommendations.latest_date >= covered.covered_until
    group by recommendations.hcp_id, recommendations.channel, recommendations.latest_date
)

select * from final
