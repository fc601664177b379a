{#- The closing lines about the plan that this build made: a list of texts. -#}
{% macro plan_lines() -%}
    {%- set lines = [''] -%}
    {%- for plan in room_rows('marts', 'fct_plan_summary', 'cycle_start, cycle_end, status, actions, hcps_reached, objective, penalty, upper_bound, gap, total_cost') -%}
        {%- set hcps = room_rows('marts', 'dim_hcps', 'count(*)')[0][0] -%}
        {%- do lines.append('Plan for ' ~ plan[0] ~ ' up to ' ~ plan[1] ~ ' (' ~ plan[2] ~ '): ' ~ plan[3] ~ ' actions for ' ~ plan[4] ~ ' of ' ~ hcps ~ ' HCPs.') -%}
        {%- do lines.append('  Objective ' ~ shown('%.4f', plan[5]) ~ (', penalty ' ~ shown('%.4f', plan[6]) if plan[6] else '') ~ '; no plan can exceed ' ~ shown('%.4f', plan[7]) ~ ' (gap ' ~ shown('%.2e', plan[8]) ~ '). Cost ' ~ shown('%.2f', plan[9]) ~ '.') -%}
    {%- endfor -%}
    {%- for budget in room_rows('marts', 'fct_constraint_prices', 'label, used, limit_value', "where unit = 'cost' and channel is null and territory_id is null order by " ~ text_order('limit_id')) -%}
        {%- do lines.append('  Budget: ' ~ budget[0] ~ ': ' ~ shown('%.2f', budget[1]) ~ ' of ' ~ shown('%.2f', budget[2]) ~ ' used.') -%}
    {%- endfor -%}
    {%- set binding = room_rows('marts', 'fct_constraint_prices', 'label, price, unit, used, limit_value', 'where price > 0 order by round(cast(price * abs(limit_value) as numeric(28, 6)), 3) desc, ' ~ text_order('limit_id')) -%}
    {%- for limit in binding[:5] -%}
        {%- if loop.first -%}
            {%- do lines.append('  Limits that bind (' ~ binding | length ~ '), the costliest first, with the KPI gained per unit loosened:') -%}
        {%- endif -%}
        {%- do lines.append('    ' ~ limit[0] ~ ': ' ~ shown('%.6g', limit[1]) ~ ' per unit of ' ~ limit[2] ~ ' (' ~ shown('%.10g', limit[3]) ~ ' of ' ~ shown('%.10g', limit[4]) ~ ' used)') -%}
    {%- endfor -%}
    {%- set power = room_rows('marts', 'fct_plan_power', 'cycles, smallest_lift, expected_lift, control_hcps', 'where control_hcps > 0 order by cycles') -%}
    {%- for row in power[:1] -%}
        {%- set known = power | rejectattr(1, 'none') | list -%}
        {%- set parts = [] -%}
        {%- for one in known -%}
            {%- do parts.append(shown('%.4g', one[1]) ~ (' over 1 cycle' if one[0] == 1 else ' over ' ~ one[0])) -%}
        {%- endfor -%}
        {%- do lines.append('  Control: ' ~ row[3] ~ ' HCPs get nothing. Smallest lift that can be detected, KPI per HCP and cycle: ' ~ (parts | join(', ') if parts else 'unknown, the past is too short') ~ ('; the plan is expected to bring ' ~ shown('%.4g', row[2]) if row[2] is not none) ~ '.') -%}
        {%- if row[2] is not none and known and row[2] < known[-1][1] -%}
            {%- do lines.append('  Warning: the expected lift is below what this design can detect, even over ' ~ known[-1][0] ~ ' cycles: raise the share of the arm control in rule_holdout, or measure over more cycles.') -%}
        {%- elif row[2] is not none and known and row[2] < known[0][1] -%}
            {%- do lines.append('  Warning: the expected lift is below what one cycle can detect: measure over several cycles.') -%}
        {%- endif -%}
    {%- endfor -%}
    {%- do lines.extend(oversight_lines()) -%}
    {%- set closed = room_rows('marts', 'fct_hcp_channel_scores', 'channel', 'group by channel having max(case when is_eligible then 1 else 0 end) = 0 order by ' ~ text_order('channel')) -%}
    {%- if closed -%}
        {%- do lines.append('  Nobody may be contacted on: ' ~ closed | map('first') | join(', ') ~ '.') -%}
    {%- endif -%}
    {%- for note in room_rows('plan', 'plan_warnings', 'problem, detail', 'order by ' ~ text_order('problem') ~ ', ' ~ text_order('detail')) -%}
        {%- do lines.append('  Note: ' ~ [note[0], note[1]] | select | join(': ') ~ '.') -%}
    {%- endfor -%}
    {{ return(lines) }}
{%- endmacro %}
