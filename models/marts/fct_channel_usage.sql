with

channels as (select * from {{ ref('dim_channels') }}),

territories as (select * from {{ ref('dim_territories') }}),

recommendations as (select * from {{ ref('fct_recommendations') }}),

limits as (select * from {{ ref('fct_constraint_prices') }}),

scopes as (
    select
        channels.run_id,
        channels.cycle_start,
        channels.channel,
        channels.is_rep_channel,
        territories.territory_id
    from channels
    cross join territories
),

planned as (
    select
        channel,
        territory_id,
        count(*) as actions,
        sum(touches) as touches,
        count(distinct hcp_id) as hcps_reached,
        {{ exact_sum('cost') }} as cost,
        {{ exact_sum('rep_minutes') }} as rep_minutes,
        {{ exact_sum('plan_value') }} as plan_value,
        {{ exact_sum('expected_impact * touches') }} as expected_impact
    from recommendations
    group by channel, territory_id
),

-- upper limits that an action of this channel in this territory uses; those of single reps are left to the reps
over_scope as (
    select
        scopes.channel,
        scopes.territory_id,
        limits.limit_id,
        limits.label,
        limits.limit_value,
        limits.used,
        case when limits.limit_value > 0 then limits.used / limits.limit_value else 1 end as used_share
    from scopes
    inner join limits
        on (limits.channel is null or limits.channel = scopes.channel)
        and (limits.territory_id is null or limits.territory_id = scopes.territory_id)
    where limits.side = 'max'
        and limits.rep_id is null
        and (limits.unit != 'minutes' or scopes.is_rep_channel)
),

tightest as (
    select
        *,
        row_number() over (partition by channel, territory_id order by round(cast(used_share as numeric(28, 9)), 6) desc, {{ text_order('limit_id') }}) as tightness
    from over_scope
),

final as (
    select
        scopes.run_id,
        scopes.cycle_start,
        scopes.channel,
        scopes.territory_id,
        cast(coalesce(planned.actions, 0) as integer) as actions,
        cast(coalesce(planned.touches, 0) as integer) as touches,
        cast(coalesce(planned.hcps_reached, 0) as integer) as hcps_reached,
        cast(coalesce(planned.cost, 0) as double precision) as cost,
        cast(coalesce(planned.rep_minutes, 0) as double precision) as rep_minutes,
        cast(coalesce(planned.plan_value, 0) as double precision) as plan_value,
        cast(coalesce(planned.expected_impact, 0) as double precision) as expected_impact,
        coalesce(
            cast(planned.touches as double precision) / nullif(sum(planned.touches) over (partition by scopes.territory_id), 0),
            0
        ) as share_of_mix,
        tightest.limit_id,
        tightest.label as limit_label,
        tightest.limit_value,
        tightest.used as limit_used,
        tightest.used_share as limit_share
    from scopes
    left join planned on scopes.channel = planned.channel and scopes.territory_id = planned.territory_id
    left join tightest
        on scopes.channel = tightest.channel and scopes.territory_id = tightest.territory_id and tightest.tightness = 1
)

select * from final
