{%- set error = switches()['values']['nba_fairness_error'] if execute else 0 %}
with

segments as (select * from {{ ref('parity_segments') }}),

final as (
    select
        'parity' as check_name,
        'error' as severity,
        'hcp_master' as table_name,
        segment as column_name,
        cast(open_hcps as bigint) as row_count,
        cast(null as text) as examples,
        'is ' || value || ' for HCPs whom the plan treats too differently: ' || cast(hcps_reached as text) || ' of ' || cast(open_hcps as text)
        || ' reached, ' || coalesce({{ plain_number('reach_ratio') }}, 'no') || ' of the overall reach and '
        || coalesce({{ plain_number('value_ratio') }}, 'no') || ' of the overall value per HCP; nba_fairness_error is {{ error }}' as problem,
        coalesce({{ floor_words('segments') }}, 'see docs/fairness.md for what can lift this segment') || ', or lower nba_fairness_error' as what_to_do
    from segments
    where status = 'error'
)

select * from final
