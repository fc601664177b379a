with

runs as (select * from {{ ref('stg_prior_runs') }} where cycles_back = 1),

planned as (
    select
        hcp_id,
        channel
    from {{ ref('fct_recommendations') }}
),

last_actions as (
    select
        recommendations.hcp_id,
        recommendations.channel
    from {{ memory('recommendations', {'run_id': 'text', 'hcp_id': 'text', 'channel': 'text'}) }} as recommendations
    inner join runs on recommendations.run_id = runs.run_id
),

kept as (
    select count(*) as kept
    from last_actions
    inner join planned
        on last_actions.hcp_id = planned.hcp_id
        and last_actions.channel = planned.channel
),

sizes as (
    select
        (select cast(count(*) as double precision) from planned) as actions,
        (select cast(count(*) as double precision) from last_actions) as last_actions,
        (select cast(kept as double precision) from kept) as kept
),

mix as (
    select
        channel,
        sum(is_now) as actions,
        sum(1 - is_now) as last_actions
    from (
        select
            channel,
            1 as is_now
        from planned
        union all
        select
            channel,
            0 as is_now
        from last_actions
    ) as both_plans
    group by channel
),

mix_change as (
    select
        sum(abs(mix.actions / nullif(sizes.actions, 0) - mix.last_actions / nullif(sizes.last_actions, 0))) / 2 as moved
    from mix
    cross join sizes
),

last_prices as (
    select
        prices.limit_id,
        prices.limit_value,
        prices.price
    from {{ memory('constraint_prices', {'run_id': 'text', 'limit_id': 'text', 'limit_value': 'double precision', 'price': 'double precision'}) }} as prices
    inner join runs on prices.run_id = runs.run_id
),

-- what the limits of both plans are worth, limit by limit
worth as (
    select
        abs(prices.price * prices.limit_value) as now_worth,
        abs(last_prices.price * last_prices.limit_value) as last_worth
    from {{ ref('fct_constraint_prices') }} as prices
    inner join last_prices on prices.limit_id = last_prices.limit_id
    where prices.price > 0 or last_prices.price > 0
),

price_change as (
    select
        count(*) as limits,
        {{ exact_sum('abs(now_worth - last_worth)') }} / nullif({{ exact_sum('greatest(now_worth, last_worth)') }}, 0) as moved
    from worth
),

final as (
    select
        sizes.actions,
        sizes.last_actions,
        1 - sizes.kept / nullif(sizes.last_actions, 0) as not_kept,
        case when sizes.last_actions > 0 then mix_change.moved end as mix_moved,
        price_change.limits as priced_limits,
        price_change.moved as prices_moved
    from sizes
    cross join mix_change
    cross join price_change
    inner join runs on runs.cycles_back = 1
)

select * from final
