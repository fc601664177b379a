{#- First day at whose start something known at a point in time is known: that day at midnight, else the next one. Null stays null. -#}
{% macro first_day_known(known_at) -%}
    case
        when cast({{ known_at }} as timestamp) = cast(cast({{ known_at }} as date) as timestamp) then cast({{ known_at }} as date)
        else cast({{ known_at }} as date) + 1
    end
{%- endmacro %}
