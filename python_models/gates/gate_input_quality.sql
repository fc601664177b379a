{{ config(enabled=true) }}
-- depends_on: {{ ref('input_fingerprint') }}
{%- if target.type == 'snowflake' %}
-- depends_on: {{ ref('gate_inputs') }}
    {{- quality_is_not_checked('inputs') }}
{%- else %}
-- depends_on: {{ ref('gate_inputs') }}
-- depends_on: {{ ref('memory__input_quality') }}
-- depends_on: {{ ref('memory__input_profiles') }}
    {{- raise_problems([quality_problems(ref('input_quality'))], 'The inputs are not what a plan should be made of') }}
{%- endif %}
select true as is_open
