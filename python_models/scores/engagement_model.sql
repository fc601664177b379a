with

versions as (select * from {{ ref('engagement_versions') }}),

final as (
    select
        model_version,
        model_kind,
        model_json,
        trained_rows,
        data_hash,
        features,
        parameters,
        code_hash,
        choice_reason
    from versions
    where stage = 'champion'
)

select * from final
