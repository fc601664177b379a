-- Spans of the versions of one HCP and period never overlap, and the newest has no end.
with

versions as (
    select
        hcp_id,
        period_start,
        known_from,
        known_until,
        lead(known_from) over (partition by hcp_id, period_start order by known_from, known_until) as next_known_from
    from {{ ref('stg_kpi') }}
)

select *
from versions
where known_until > coalesce(next_known_from, known_until)
    or known_from > known_until
    or (next_known_from is null and known_until <> cast('9999-12-31' as date))
