{{ config(enabled=true) }}
{%- if target.type == 'snowflake' %}
-- depends_on: {{ ref('gate_input_quality') }}
    {{- quality_is_not_checked('plan') }}
{%- else %}
-- depends_on: {{ ref('gate_input_quality') }}
-- depends_on: {{ ref('memory__plan_quality') }}
-- depends_on: {{ ref('memory__plan_profiles') }}
    {{- raise_problems([quality_problems(ref('plan_quality'))], 'The plan is not what the field should get') }}
{%- endif %}
select true as is_open
