{%- set limits = drift_limits()['limits'] %}
{%- for measure, limit in limits.items() %}
select
    {{ text_literal(measure) }} as measure,
    cast({{ 'null' if limit.notice is none else limit.notice }} as double precision) as notice,
    cast({{ 'null' if limit.warn is none else limit.warn }} as double precision) as warn,
    cast({{ 'null' if limit.error is none else limit.error }} as double precision) as error,
    cast({{ limit.least_n }} as double precision) as least_n
{{ 'union all' if not loop.last }}
{%- endfor %}
