-- depends_on: {{ ref('gate_input_quality') }}
with

publications as (
    select *
    from {{ memory('publications', {'run_id': 'text', 'cycle_start': 'date', 'action': 'text', 'published_at': 'timestamp'}) }} as publications
),

recommendations as (
    select *
    from {{ memory('recommendations', {'run_id': 'text', 'hcp_id': 'text', 'channel': 'text', 'touches': 'integer'}) }} as recommendations
),

run_config as (select * from {{ ref('run_config') }}),

-- the last row of each cycle says which run holds there
latest as (
    select
        publications.*,
        row_number() over (partition by cycle_start order by published_at desc) as recency
    from publications
),

-- going back to an earlier cycle takes back what was published for later ones before; of what is left the newest cycle counts
holding as (
    select
        latest.run_id,
        row_number() over (order by latest.cycle_start desc) as cycles_back
    from latest
    cross join run_config
    where latest.recency = 1
        and latest.cycle_start <= run_config.cycle_start
        and not exists (
            select 1
            from publications
            where publications.action = 'rollback'
                and publications.published_at > latest.published_at
                and publications.cycle_start < latest.cycle_start
        )
),

final as (
    select
        recommendations.hcp_id,
        recommendations.channel,
        recommendations.touches
    from recommendations
    inner join holding on recommendations.run_id = holding.run_id
    where holding.cycles_back = 1
)

select * from final
