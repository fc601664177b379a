{#- The columns of one number of a profile: a measure of a table, of a column (subject) or of one of its values (item), in a period or in all. -#}
{% macro profile_fact(table_name, measure, amount, subject='', item="''", period='null') -%}
    select
        '{{ table_name }}' as table_name,
        '{{ subject }}' as subject,
        cast({{ item }} as text) as item,
        cast({{ period }} as date) as period_start,
        '{{ measure }}' as measure,
        cast({{ amount }} as double precision) as amount
{%- endmacro %}
