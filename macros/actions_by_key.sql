{#- Planned actions under every key a rule on HCP and channel may use for them (`*` = all), so that rules join by equality. -#}
{% macro actions_by_key() -%}
(
    {%- for hcp_key, channel_key in [('hcp_id', 'channel'), ('hcp_id', "'*'"), ("'*'", 'channel'), ("'*'", "'*'")] %}
    {{ 'union all' if not loop.first }}
    select
        hcp_id,
        channel,
        cycle_start,
        earliest_date,
        latest_date,
        {{ hcp_key }} as hcp_key,
        {{ channel_key }} as channel_key
    from {{ ref('fct_recommendations') }}
    {%- endfor %}
)
{%- endmacro %}
