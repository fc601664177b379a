{%- set switch = switches()['values'] if execute else {} %}
with

proxies as (select * from {{ ref('feature_proxies') }}),

words as (select * from {{ ref('stg_feature_definition') }}),

run as (select * from {{ ref('run_config') }}),

final as (
    select
        run.run_id,
        run.cycle_start,
        proxies.feature_name,
        coalesce(words.label, proxies.feature_name) as label,
        proxies.denied_column,
        proxies.measure,
        proxies.association,
        cast(proxies.hcps as integer) as hcps,
        case
            when proxies.hcps < {{ switch.get('nba_proxy_min_hcps', 200) }} then 'small'
            when proxies.association >= {{ switch.get('nba_proxy_threshold', 0.4) }} then 'warn'
            else 'ok'
        end as status
    from proxies
    cross join run
    left join words on proxies.feature_name = words.feature_name
)

select * from final
