with

outcomes as (select * from {{ ref('feat_churn_outcomes') }}),

hcps as (select * from {{ ref('stg_hcp_master') }}),

facts as (select * from {{ ref('feat_hcp') }}),

hco_sizes as (
    select
        hco_id,
        count(*) as hco_size
    from hcps
    where hco_id is not null
    group by hco_id
),

final as (
    select
        outcomes.*,

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

        -- engagement on all channels
        facts.all_touches_short,
        facts.all_touches_long,
        {{ round_significant('facts.all_response_rate_long', 6) }} as all_response_rate_long,
        facts.days_since_any_touch,

        -- KPI
        {{ round_significant('facts.kpi_mean_short', 6) }} as kpi_mean_short,
        {{ round_significant('facts.kpi_mean_long', 6) }} as kpi_mean_long,
        {{ round_significant('facts.kpi_trend', 6) }} as kpi_trend,
        {{ round_significant('facts.kpi_change', 6) }} as kpi_change,
        facts.kpi_known_periods,
        {{ round_significant('facts.market_mean_long', 6) }} as market_mean_long,
        {{ round_significant('facts.market_share_long', 6) }} as market_share_long,
        {{ round_significant('facts.market_share_trend', 6) }} as market_share_trend
    from outcomes
    inner join hcps on outcomes.hcp_id = hcps.hcp_id
    inner join facts
        on outcomes.hcp_id = facts.hcp_id
        and outcomes.snapshot_date = facts.snapshot_date
    left join hco_sizes on hcps.hco_id = hco_sizes.hco_id
)

select * from final
