{#- Memory tables by HCP that no later build reads, apart from hcp_channel_scores: of that one, measuring past cycles reads a few rows. -#}
{% macro pruned_tables() -%}
    {{ return(['churn_risk', 'gap_list', 'hcp_period_metrics', 'hcps', 'pair_blocks', 'recommendation_reasons', 'rejections']) }}
{%- endmacro %}
