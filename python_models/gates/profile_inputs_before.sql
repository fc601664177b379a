with

last_good_run as (select * from {{ ref('last_good_run') }}),

final as (
    select
        kept.table_name,
        kept.subject,
        kept.item,
        kept.period_start,
        kept.measure,
        kept.amount
    from {{ memory('input_profiles', {'run_id': 'text', 'table_name': 'text', 'subject': 'text', 'item': 'text', 'period_start': 'date', 'measure': 'text', 'amount': 'double precision'}) }} as kept
    inner join last_good_run on kept.run_id = last_good_run.run_id
)

select * from final
