{#- Every value that is there lies in [min_value, max_value]; either end may be left open. -#}
{% test accepted_range(model, column_name, min_value=none, max_value=none) %}
select {{ column_name }}
from {{ model }}
where {{ column_name }} is not null
    and not (
        {{ column_name }} >= {{ min_value if min_value is not none else column_name }}
        and {{ column_name }} <= {{ max_value if max_value is not none else column_name }}
    )
{% endtest %}
