{#- Test: none of these columns is null in any row. One pass for all of them; each failing row names a column and how many rows lack it. -#}
{% test never_null(model, columns) %}
with counted as (
    select
        {%- for column in columns %}
        sum(case when {{ column }} is null then 1 else 0 end) as missing_{{ loop.index }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ model }}
)
{% for column in columns %}
select '{{ column }}' as column_name, missing_{{ loop.index }} as missing_rows from counted where missing_{{ loop.index }} > 0
{%- if not loop.last %}
union all
{%- endif %}
{% endfor %}
{% endtest %}
