{#- The row of rule_coverage_floor that would lift a segment of parity_segments, in words; null where no floor can. `segments`: alias of the relation. -#}
{% macro floor_words(segments) -%}
    case
        when {{ segments }}.floor_hcps is null then null
        when {{ segments }}.segment = 'territory_id'
            then 'add to rule_coverage_floor: territory_id ' || {{ segments }}.value || ', channel *, min_hcps ' || cast({{ segments }}.floor_hcps as text)
        else 'add to rule_coverage_floor: attribute ' || {{ segments }}.segment || ', operator =, value ' || {{ segments }}.value
            || ', channel *, min_hcps ' || cast({{ segments }}.floor_hcps as text)
    end
{%- endmacro %}
