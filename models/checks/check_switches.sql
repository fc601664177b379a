{{ no_problem_rows() }}
{%- for found in switches()['problems'] if execute %}
union all
{{ problem_row('switch', found['severity'], 'vars', found['switch'], found['problem'], found['what_to_do']) }}
{%- endfor %}
