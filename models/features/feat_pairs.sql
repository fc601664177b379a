{#- A view: training and scoring read it once each, and neither should write the other's rows. -#}
{{ config(materialized='view') }}
with

hcps as (select * from {{ ref('stg_hcp_master') }}),

catalog as (select * from {{ ref('stg_catalog') }}),

hco_sizes as (
    select
        hco_id,
        count(*) as hco_size
    from hcps
    where hco_id is not null
    group by hco_id
),

snapshots as (select * from {{ ref('feat_snapshots') }}),

facts as (select * from {{ ref('feat_hcp') }}),

channels as (select * from {{ ref('feat_channel') }}),

history as (select * from {{ ref('feat_hcp_channel') }}),

-- what is scored, and what was touched in the cycle after an earlier snapshot
pairs as (
    select
        hcps.hcp_id,
        catalog.channel,
        snapshots.snapshot_date,
        snapshots.is_scoring
    from hcps
    cross join catalog
    inner join snapshots on snapshots.is_scoring

    union all

    select
        hcp_id,
        channel,
        snapshot_date,
        false as is_scoring
    from {{ ref('feat_outcomes') }}
),

final as (
    select
        pairs.hcp_id,
        pairs.channel,
        pairs.snapshot_date,
        pairs.is_scoring,

        -- profile
        hcps.specialty,
        hcps.practice_type,
        hcps.rep_access,
        {{ round_significant('hcps.decile', 6) }} as decile,
        cast(case when hcps.rep_id is null then 0 else 1 end as double precision) as has_rep,
        cast(hco_sizes.hco_size as double precision) as hco_size,
        {%- for attribute in hcp_attributes() %}
        {{ feature_from_column('hcps.' ~ own_column(attribute.name), attribute.data_type) }} as {{ own_column(attribute.name) }},
        {%- endfor %}

        -- catalogue
        catalog.channel_type,
        {{ round_significant('catalog.unit_cost', 6) }} as unit_cost,
        {{ round_significant('catalog.rep_minutes', 6) }} as rep_minutes,
        cast(case when catalog.requires_consent then 1 else 0 end as double precision) as requires_consent,

        -- engagement on this channel; without a row there was no touch, and without touches no response
        coalesce(history.touches_short, 0) as touches_short,
        coalesce(history.touches_long, 0) as touches_long,
        coalesce(history.active_periods_long, 0) as active_periods_long,
        case
            when not channels.is_recording then null
            when coalesce(history.touches_long, 0) = 0 then 0
            when history.answered_touches_long > 0 then history.responses_long
        end as responses_long,
        {{ round_significant(ratio('history.responses_short', 'history.answered_touches_short'), 6) }} as response_rate_short,
        {{ round_significant(ratio('history.responses_long', 'history.answered_touches_long'), 6) }} as response_rate_long,
        cast(pairs.snapshot_date - history.last_touch_end + 1 as integer) as days_since_touch,
        cast(pairs.snapshot_date - history.last_response_end + 1 as integer) as days_since_response,

        -- engagement on all channels
        facts.all_touches_short,
        facts.all_touches_long,
        {{ round_significant('facts.all_response_rate_long', 6) }} as all_response_rate_long,
        facts.days_since_any_touch,
        {{ round_significant('channels.channel_response_rate', 6) }} as channel_response_rate,

        -- KPI
        {{ round_significant('facts.kpi_mean_short', 6) }} as kpi_mean_short,
        {{ round_significant('facts.kpi_mean_long', 6) }} as kpi_mean_long,
        {{ round_significant('facts.kpi_trend', 6) }} as kpi_trend,
        {{ round_significant('facts.kpi_change', 6) }} as kpi_change,
        facts.kpi_known_periods,
        {{ round_significant('facts.market_mean_long', 6) }} as market_mean_long,
        {{ round_significant('facts.market_share_long', 6) }} as market_share_long,
        {{ round_significant('facts.market_share_trend', 6) }} as market_share_trend,

        -- beside the features: what the expected impact leans on
        {{ round_significant('facts.kpi_mean_long', 6) }} as kpi_level,
        facts.kpi_known_periods as kpi_periods,
        coalesce(hcps.specialty, 'unknown') || ' / ' || coalesce(cast(cast({{ whole_number('hcps.decile') }} as integer) as text), 'unknown') as segment
    from pairs
    inner join hcps on pairs.hcp_id = hcps.hcp_id
    inner join catalog on pairs.channel = catalog.channel
    inner join facts
        on pairs.hcp_id = facts.hcp_id
        and pairs.snapshot_date = facts.snapshot_date
    inner join channels
        on pairs.channel = channels.channel
        and pairs.snapshot_date = channels.snapshot_date
    left join history
        on pairs.hcp_id = history.hcp_id
        and pairs.channel = history.channel
        and pairs.snapshot_date = history.snapshot_date
    left join hco_sizes on hcps.hco_id = hco_sizes.hco_id
)

select * from final
