-- depends_on: {{ ref('gate_input_quality') }}
{%- set others = other_columns(columns_of(ref('base_hcp_master')), 'input', 'hcp_master') %}
with

given as (select * from {{ ref('base_hcp_master') }}),

final as (
    select
        cast(hcp_id as text) as hcp_id,
        cast(npi as text) as npi,
        cast(full_name as text) as full_name,
        {{ text_or_null('specialty') }} as specialty,
        {{ text_or_null('practice_type') }} as practice_type,
        {{ text_or_null('hco_id') }} as hco_id,
        {{ text_or_null('territory_id') }} as territory_id,
        {{ text_or_null('rep_id') }} as rep_id,
        cast(decile as double precision) as decile,
        -- what is not known to be open is not open
        case
            when lower(cast(rep_access as text)) in ('open', 'no_see') then lower(cast(rep_access as text))
            else 'restricted'
        end as rep_access,
        cast(crm_account_id as text) as crm_account_id
        {%- for column in others %},
        {{ own_column(column) }}
        {%- endfor %}
    from given
)

select * from final
