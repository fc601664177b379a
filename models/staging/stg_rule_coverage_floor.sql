-- depends_on: {{ ref('gate_input_quality') }}
with

given as (select * from {{ ref('base_rule_coverage_floor') }}),

final as (
    select
        cast(territory_id as text) as territory_id,
        lower(cast(attribute as text)) as attribute,
        coalesce(cast(operator as text), '=') as operator,
        cast(value as text) as value,
        cast(channel as text) as channel,
        cast(min_hcps as double precision) as min_hcps,
        coalesce(lower(cast(hardness as text)), 'soft') as hardness
    from given
)

select * from final
