-- depends_on: {{ ref('gate_input_quality') }}
with

given as (select * from {{ ref('base_rule_holdout') }}),

final as (
    select
        lower(cast(arm as text)) as arm,
        cast(share as double precision) as share,
        coalesce(lower(cast(unit as text)), 'hcp') as unit,
        coalesce(cast(redraw_cycles as integer), 6) as redraw_cycles,
        cast(resource_share as double precision) as resource_share
    from given
)

select * from final
