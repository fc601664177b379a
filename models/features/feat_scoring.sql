with

pairs as (select * from {{ ref('feat_pairs') }}),

final as (
    select *
    from pairs
    where is_scoring
)

select * from final
