{%- set switch = switches()['values'] if execute else {} %}
{%- set least = switch.get('nba_fairness_warn', 0.8) %}
{%- set segments = parity_columns() %}
with

-- own columns may have any name: they are numbered here
hcps as (
    select
        hcp_id
        {%- for segment in segments %},
        {{ segment.text }} as segment_{{ loop.index }}
        {%- endfor %}
    from {{ ref('stg_hcp_master') }}
),

scores as (select * from {{ ref('fct_hcp_channel_scores') }}),

assignments as (select * from {{ ref('fct_assignments') }}),

recommendations as (select * from {{ ref('fct_recommendations') }}),

eligible as (
    select distinct hcp_id
    from scores
    where is_eligible
),

planned as (
    select
        hcp_id,
        {{ exact_sum('plan_value') }} as plan_value
    from recommendations
    group by hcp_id
),

-- whom the plan could have reached: a control group is drawn by lot and says nothing about the plan
members as (
    select
        hcps.*,
        case when eligible.hcp_id is not null and assignments.arm <> 'control' then 1 else 0 end as is_open,
        case when planned.hcp_id is not null then 1 else 0 end as is_reached,
        coalesce(planned.plan_value, 0) as plan_value
    from hcps
    inner join assignments on hcps.hcp_id = assignments.hcp_id
    left join eligible on hcps.hcp_id = eligible.hcp_id
    left join planned on hcps.hcp_id = planned.hcp_id
),

overall as (
    select
        cast(sum(is_reached) as double precision) / nullif(sum(is_open), 0) as reach_rate,
        {{ exact_sum('plan_value') }} / nullif(sum(is_open), 0) as value_per_hcp
    from members
),

segments as (
    {%- for segment in segments %}
    select
        {{ text_literal(segment.name) }} as segment,
        coalesce(segment_{{ loop.index }}, 'unknown') as value,
        segment_{{ loop.index }} is not null as is_known,
        count(*) as hcps,
        sum(is_open) as open_hcps,
        sum(is_reached) as hcps_reached,
        {{ exact_sum('plan_value') }} as plan_value
    from members
    group by 1, 2, 3
    {{ 'union all' if not loop.last }}
    {%- else %}
    select
        cast(null as text) as segment,
        cast(null as text) as value,
        true as is_known,
        0 as hcps,
        0 as open_hcps,
        0 as hcps_reached,
        cast(0 as double precision) as plan_value
    where 1 = 0
    {%- endfor %}
),

ratios as (
    select
        segments.*,
        overall.reach_rate as overall_reach_rate,
        cast(segments.hcps_reached as double precision) / nullif(segments.open_hcps, 0) as reach_rate,
        segments.plan_value / nullif(segments.open_hcps, 0) as value_per_hcp,
        cast(segments.hcps_reached as double precision) / nullif(segments.open_hcps, 0) / nullif(overall.reach_rate, 0) as reach_ratio,
        -- a plan of negative value has no share
        case
            when overall.value_per_hcp > 0 then segments.plan_value / nullif(segments.open_hcps, 0) / overall.value_per_hcp
        end as value_ratio
    from segments
    cross join overall
),

-- the smaller ratio decides; a ratio that cannot be told does not
judged as (
    select
        ratios.*,
        case
            when open_hcps < {{ switch.get('nba_fairness_min_hcps', 30) }} then 'small'
            when coalesce(reach_ratio, 1) < {{ switch.get('nba_fairness_error', 0) }} or coalesce(value_ratio, 1) < {{ switch.get('nba_fairness_error', 0) }} then 'error'
            when coalesce(reach_ratio, 1) < {{ least }} or coalesce(value_ratio, 1) < {{ least }} then 'warn'
            else 'ok'
        end as status,
        -- HCPs to be reached for the share that is asked for, of all, and as much more as their value is short of
        ceil(greatest(
            {{ least }} * coalesce(overall_reach_rate, 0) * open_hcps,
            case when value_ratio > 0 and value_ratio < {{ least }} then hcps_reached * {{ least }} / value_ratio else 0 end
        ) - 0.000001) as wanted_hcps
    from ratios
),

final as (
    select
        segment,
        value,
        case when segment = 'territory_id' and is_known then value end as territory_id,
        is_known,
        cast(hcps as integer) as hcps,
        cast(open_hcps as integer) as open_hcps,
        cast(hcps_reached as integer) as hcps_reached,
        reach_rate,
        value_per_hcp,
        reach_ratio,
        value_ratio,
        status,
        cast(case when status in ('warn', 'error') and is_known and hcps_reached < open_hcps then least(wanted_hcps, open_hcps) end as integer) as floor_hcps
    from judged
)

select * from final
