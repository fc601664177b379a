-- depends_on: {{ ref('gate_input_quality') }}
-- depends_on: {{ ref('stg_hcp_master') }}
with

shipped as (select * from {{ ref('feature_definition_shipped') }}),

run_config as (select * from {{ ref('run_config') }}),

given as (
    select
        lower(cast(feature_name as text)) as feature_name,
        cast(label as text) as label,
        cast(description as text) as description,
        cast(unit as text) as unit
    from {{ ref('base_feature_definition') }}
),

switched_on as (
    select cast(null as text) as feature_name where 1 = 0
    {%- for attribute in hcp_attributes() %}
    union all
    select {{ text_literal(attribute.name) }}
    {%- endfor %}
),

names as (
    select feature_name from shipped
    union
    select feature_name from given
    union
    select feature_name from switched_on
),

-- the user's wording before the shipped one, the column's name where there is neither
chosen as (
    select
        names.feature_name,
        coalesce(given.label, shipped.label, names.feature_name) as label,
        coalesce(given.description, shipped.description) as description,
        coalesce(given.unit, shipped.unit) as unit,
        given.feature_name is not null or shipped.feature_name is not null as is_defined
    from names
    left join given on names.feature_name = given.feature_name
    left join shipped on names.feature_name = shipped.feature_name
),

final as (
    select
        chosen.feature_name,
        replace(
            replace(chosen.label, '{short}', cast(run_config.window_short as text)), '{long}', cast(run_config.window_long as text)
        ) as label,
        replace(
            replace(chosen.description, '{short}', cast(run_config.window_short as text)), '{long}', cast(run_config.window_long as text)
        ) as description,
        chosen.unit,
        chosen.is_defined
    from chosen
    cross join run_config
)

select * from final
