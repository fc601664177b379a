with

numbers as ({{ dbt.generate_series(8192) }}),

final as (
    select cast({{ dbt.dateadd('day', 'generated_number - 1', date_literal('2015-01-01')) }} as date) as date_day
    from numbers
)

select * from final
