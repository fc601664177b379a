{#- The lasting name of an action: a hash of cycle, HCP, channel and brand as canonical text (ISO date, tab between the parts). -#}
{% macro recommendation_id(cycle_start, hcp_id, channel, brand_id) -%}
    {%- set tab = 'chr(9)' -%}
    {%- set parts = [date_text(cycle_start)] -%}
    {%- for part in [hcp_id, channel, brand_id] -%}
        {#- a tab inside an id must not look like the end of the part -#}
        {%- do parts.append('replace(replace(' ~ part ~ ", '~', '~0'), " ~ tab ~ ", '~1')") -%}
    {%- endfor -%}
    {{ dbt.hash(parts | join(' || ' ~ tab ~ ' || ')) }}
{%- endmacro %}
