-- depends_on: {{ ref('gate_input_quality') }}
with

run_config as (select * from {{ ref('run_config') }}),

digits as (
    select 0 as digit
    {%- for digit in range(1, 10) %}
    union all
    select {{ digit }}
    {%- endfor %}
),

-- 0 to 9999: 190 years of weeks
numbers as (
    select ones.digit + 10 * tens.digit + 100 * hundreds.digit + 1000 * thousands.digit as number
    from digits as ones
    cross join digits as tens
    cross join digits as hundreds
    cross join digits as thousands
),

periods as (
    select
        numbers.number + 1 as period_number,
        {{ add_periods('run_config.panel_start', 'numbers.number', 'run_config.grain') }} as period_start,
        {{ add_periods('run_config.panel_start', '(numbers.number + 1)', 'run_config.grain') }} as period_end,
        run_config.cycle_start
    from run_config
    cross join numbers
),

final as (
    select
        cast(period_number as integer) as period_number,
        period_start,
        period_end
    from periods
    where period_start < cycle_start
)

select * from final
