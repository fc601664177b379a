{#- The closing lines about what people should look at: segments that are left behind, features that stand in for denied columns, what overrides cost. A list of texts. -#}
{% macro oversight_lines() -%}
    {%- set lines = [] -%}
    {%- set behind = room_rows('marts', 'fct_segment_parity', 'segment, value, reach_ratio, value_ratio', "where status in ('warn', 'error') order by coalesce(round(cast(reach_ratio as numeric(28, 6)), 3), 1), " ~ text_order('segment') ~ ', ' ~ text_order('value')) -%}
    {%- set parts = [] -%}
    {%- for row in behind[:4] -%}
        {%- do parts.append(row[0] ~ ' ' ~ row[1] ~ ' (reach ' ~ (shown('%.2f', row[2]) if row[2] is not none else 'unknown') ~ ', value ' ~ (shown('%.2f', row[3]) if row[3] is not none else 'unknown') ~ ')') -%}
    {%- endfor -%}
    {%- if behind -%}
        {%- do lines.append('  Segments below ' ~ var('nba_fairness_warn') ~ ' of the overall reach or value per HCP (' ~ behind | length ~ '), with a remedy each in segment_parity: ' ~ (parts | join(', ')) ~ ('; ...' if behind | length > 4) ~ '.') -%}
    {%- endif -%}
    {%- set proxies = room_rows('marts', 'fct_feature_proxies', 'feature_name, denied_column, association, hcps', "where status = 'warn' order by round(cast(association as numeric(28, 6)), 4) desc, " ~ text_order('feature_name') ~ ', ' ~ text_order('denied_column')) -%}
    {%- for row in proxies[:5] -%}
        {%- do lines.append('  Warning: the feature ' ~ row[0] ~ ' says much of ' ~ row[1] ~ ', which may never be a feature (' ~ shown('%.2f', row[2]) ~ ' of 1 over ' ~ row[3] ~ ' HCPs): it may stand in for it, see feature_proxies.') -%}
    {%- endfor -%}
    {%- set overrides = room_rows('marts', 'fct_override_costs', 'source, count(*), sum(cast(cost as numeric(28, 9)))', 'group by source order by source') -%}
    {%- for row in overrides -%}
        {%- do lines.append('  ' ~ ('Overrides' if row[0] == 'override' else 'Suppressed suggestions') ~ ' in force: ' ~ row[1] ~ ('; they cost ' ~ shown('%.4g', row[2]) ~ ' KPI units at the prices of this plan, see override_costs' if row[2] is not none) ~ '.') -%}
    {%- endfor -%}
    {{ return(lines) }}
{%- endmacro %}
