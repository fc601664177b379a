-- depends_on: {{ ref('gate_inputs') }}
{%- set switch = switches()['values'] if execute else {} %}
with

panel as (select * from {{ ref('check_panel') }}),

cycle as (
    select
        panel.*,
        {% if switch.get('nba_cycle_periods') -%}
        {{ switch['nba_cycle_periods'] }}
        {%- else -%}
        case when panel.grain = 'month' then 1 else 4 end
        {%- endif %} as cycle_periods
    from panel
),

final as (
    select
        {{ text_literal(invocation_id) }} as run_id,
        cycle.cycle_start,
        cast(case
            when cycle.grain = 'month' then {{ dbt.dateadd('month', 'cycle.cycle_periods', 'cycle.cycle_start') }}
            else {{ dbt.dateadd('day', '7 * cycle.cycle_periods', 'cycle.cycle_start') }}
        end as date) as cycle_end,
        cycle.cycle_periods,
        cycle.grain,
        cycle.panel_start,
        {{ switch.get('nba_window_short', 0) }} as window_short,
        {{ switch.get('nba_window_long', 0) }} as window_long,
        {{ switch.get('nba_training_snapshots', 0) }} as snapshots,
        {{ switch.get('nba_training_hcps', 0) }} as training_hcps,
        {{ text_literal(switch.get('kpi_absent')) }} as kpi_absent,
        {{ text_literal(switch.get('unknown_hcp')) }} as unknown_hcp,
        {{ switch.get('nba_engagement_known_lag', 0) }} as engagement_known_lag,
        {{ switch.get('nba_kpi_known_lag', 0) }} as kpi_known_lag,
        cast({{ switch.get('nba_overlap', 0) }} as double precision) as overlap,
        cast({{ switch.get('nba_explore_cold_share', 0) }} as double precision) as explore_cold_share,
        cast({{ 'null' if switch.get('nba_floor_penalty', -1) == -1 else switch['nba_floor_penalty'] }} as double precision) as floor_penalty,
        cast({{ switch.get('nba_gap', 0) }} as double precision) as gap,
        {{ switch.get('nba_node_limit', 0) }} as node_limit,
        cast({{ switch.get('nba_stability_share', 0) }} as double precision) as stability_share,
        {{ switch.get('nba_step_limits', 0) }} as step_limits,
        {{ switch.get('nba_seed', 0) }} as seed,
        {{ text_literal(switch.get('hcp_attributes', []) | join(',')) }} as hcp_attributes,
        {{ switch.get('nba_min_channel_touches', 0) }} as min_channel_touches,
        {{ text_literal(switch.get('nba_retrain')) }} as retrain,
        {{ switch.get('nba_retrain_cycles', 1) }} as retrain_cycles,
        cast({{ switch.get('nba_promotion_margin', 0) }} as double precision) as promotion_margin,
        {{ text_literal(switch.get('nba_model_approval')) }} as model_approval,
        {{ switch.get('nba_profile_pairs', 1000) }} as profile_pairs,
        cast({{ switch.get('nba_impact_prior_cv', 0) }} as double precision) as impact_prior_cv,
        cast({{ switch.get('nba_impact_carry_over', 0) }} as double precision) as impact_carry_over,
        {{ switch.get('nba_impact_hcps', 0) }} as impact_hcps,
        cast({{ switch.get('nba_churn_min_kpi', 0) }} as double precision) as churn_min_kpi,
        cast({{ switch.get('nba_churn_drop', 0) }} as double precision) as churn_drop,
        {% if switch.get('nba_churn_periods') -%}
        {{ switch['nba_churn_periods'] }}
        {%- else -%}
        case when cycle.grain = 'month' then 3 else 12 end
        {%- endif %} as churn_periods,
        {{ switch.get('nba_publish_past', 'false') }} as publish_past,
        {{ text_literal((var('input_database') ~ '.' if var('input_database') else '') ~ var('input_schema')) }} as input_source,
        {%- for family in ['volume', 'freshness', 'distribution', 'coverage', 'plan'] %}
        {{ text_literal(switch.get('nba_gate_' ~ family)) }} as gate_{{ family }},
        {%- endfor %}
        {{ switch.get('nba_gate_min_hcps', 0) }} as gate_min_hcps,
        cast({{ switch.get('nba_gate_volume_drop', 0) }} as double precision) as gate_volume_drop,
        cast({{ switch.get('nba_gate_share_shift', 0) }} as double precision) as gate_share_shift,
        cast({{ switch.get('nba_gate_level_factor', 0) }} as double precision) as gate_level_factor,
        cast({{ switch.get('nba_gate_warn_at', 0) }} as double precision) as gate_warn_at,
        {% if switch.get('nba_gate_late_periods', -1) >= 0 -%}
        {{ switch['nba_gate_late_periods'] }}
        {%- else -%}
        case when cycle.grain = 'month' then 2 else 8 end
        {%- endif %} as gate_late_periods,
        {% if switch.get('nba_kpi_lag_periods', -1) >= 0 -%}
        {{ switch['nba_kpi_lag_periods'] }}
        {%- else -%}
        case when cycle.grain = 'month' then 2 else 6 end
        {%- endif %} as gate_kpi_lag_periods
    from cycle
)

select
    final.*,
    {{ dbt.datediff('final.cycle_start', 'final.cycle_end', 'day') }} as cycle_days
from final
