-- Every column of feat_scoring is a key, a helper or a feature with a definition.
{%- set others = ['hcp_id', 'snapshot_date', 'is_scoring', 'kpi_level', 'kpi_periods', 'segment'] %}
with

columns_found as (
    select cast(null as text) as feature_name where 1 = 0
    {%- for column in columns_of(ref('feat_scoring')) if column not in others %}
    union all
    select {{ text_literal(column) }}
    {%- endfor %}
)

select columns_found.feature_name
from columns_found
left join {{ ref('stg_feature_definition') }} as definitions on columns_found.feature_name = definitions.feature_name
where definitions.feature_name is null
