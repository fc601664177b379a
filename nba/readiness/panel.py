"""What was said when and for whom: SQL over the tables of nba.readiness.sources, in the order in which it is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

FULL_SHARE = 0.8  # KPI rows, of those usual in the 12 periods before, from which a period counts as reported
RECENT = 3  # cycles whose KPI says how large an HCP was


def grain_of(connection: duckdb.DuckDBPyConnection) -> str:
    """`week`, `month`, `mixed`, or `none` without any period."""
    days, firsts, starts = connection.execute(
        """
        select count(distinct date_diff('day', date '1970-01-01', period_start) % 7), count(distinct day(period_start)), count(*)
        from (select period_start from engagement_history union all select period_start from kpi_metrics)
        where period_start is not null
        """
    ).fetchone()
    if not starts:
        return "none"
    first = connection.execute(
        "select max(day(period_start)) from (from engagement_history select period_start union all from kpi_metrics select period_start)"
    )
    is_month = firsts == 1 and first.fetchone()[0] == 1
    several = connection.execute("select count(distinct period_start) from kpi_metrics").fetchone()[0]
    if is_month and (several > 1 or days > 1):
        return "month"
    return "week" if days == 1 else "mixed"


def build_panel(connection: duckdb.DuckDBPyConnection, grain: str, cycle_periods: int) -> bool:
    """Tables `cells` (HCP x cycle: kpi, recent), `touched` (HCP x cycle x channel: touches), both of known HCPs only; whether there is
    any cell. Cycles are counted back from the newest reported KPI period; an HCP begins with its first KPI row."""
    number = (
        "cast(date_diff('day', date '1969-12-29', {0}) / 7 as integer)"
        if grain == "week"
        else "cast(date_diff('month', date '1970-01-01', {0}) as integer)"
    ).format("period_start")
    connection.execute(
        f"""
        create or replace temp table kpi_cells as
        select k.hcp_id, {number} as period, arg_max(k.kpi_value, coalesce(k.known_at, timestamp '1970-01-01')) as kpi_value,
            bool_or(k.kpi_value is null) as has_unknown
        from kpi_metrics as k
        semi join hcp_master as h on k.hcp_id = h.hcp_id
        where k.period_start is not null
        group by all
        """
    )
    connection.execute(
        """
        create or replace temp table reported as
        select period, hcps, avg(hcps) over (order by period rows between 12 preceding and 1 preceding) as usual
        from (select period, count(*) as hcps from kpi_cells group by period)
        """
    )
    newest = connection.execute(f"select max(period) from reported where usual is null or hcps >= {FULL_SHARE} * usual").fetchone()[0]
    if newest is None:
        connection.execute("create or replace temp table cells (hcp_id text, cycle integer, kpi double, recent double)")
        connection.execute("create or replace temp table touched (hcp_id text, cycle integer, channel text, touches double)")
        return False
    oldest = connection.execute("select min(period) from kpi_cells").fetchone()[0]
    cycles = (newest - oldest + 1) // cycle_periods
    connection.execute(
        f"""
        create or replace temp table cells as
        with firsts as (
            select hcp_id, cast(({newest} - min(period)) as integer) // {cycle_periods} as first_cycle from kpi_cells group by hcp_id
        ),
        sums as (
            select hcp_id, ({newest} - period) // {cycle_periods} as cycle, sum(kpi_value) as kpi,
                bool_or(has_unknown and kpi_value is null) as is_unknown
            from kpi_cells where period <= {newest} group by all
        ),
        grid as (
            select firsts.hcp_id, cast(c.cycle as integer) as cycle
            from firsts cross join (select unnest(range({cycles})) as cycle) as c
            where c.cycle <= firsts.first_cycle
        ),
        filled as (
            select grid.hcp_id, grid.cycle, case when not coalesce(sums.is_unknown, false) then coalesce(sums.kpi, 0) end as kpi
            from grid left join sums on grid.hcp_id = sums.hcp_id and grid.cycle = sums.cycle
        )
        select hcp_id, cycle, kpi,
            avg(kpi) over (partition by hcp_id order by cycle rows between 1 following and {RECENT} following) as recent
        from filled
        """
    )
    connection.execute(
        f"""
        create or replace temp table touched as
        select e.hcp_id, ({newest} - {number}) // {cycle_periods} as cycle, e.channel, sum(e.touches) as touches
        from engagement_history as e
        semi join hcp_master as h on e.hcp_id = h.hcp_id
        where e.touches > 0 and {number} <= {newest} and e.channel is not null
        group by all
        """
    )
    return connection.execute("select count(*) from cells where kpi is not null").fetchone()[0] > 0


# KPI periods after the newest one that was reported about as fully as those before it
NEWEST_OPEN = f"""
select max(period) - max(period) filter (usual is null or hcps >= {FULL_SHARE} * usual) from reported
"""

STRATA = """
create or replace temp table strata as
select cells.hcp_id, cells.cycle, cells.kpi,
    coalesce(cast(h.decile as text), '?') || '|' || coalesce(h.rep_id, '?') || '|'
    || coalesce(cast(ntile(3) over (
        partition by cells.cycle, cells.recent is null order by cells.recent, cells.hcp_id
    ) as text), '?') as stratum
from cells
inner join (
    select hcp_id, min(decile) as decile, min(rep_id) as rep_id from hcp_master group by hcp_id
) as h on cells.hcp_id = h.hcp_id
where cells.kpi is not null
"""

# per channel: cells, cells with a touch, cells in strata where touching was neither certain nor out of the question
OVERLAP = """
with one as (
    select strata.stratum, count(*) as cells, count(touched.hcp_id) as with_touch
    from strata left join touched on strata.hcp_id = touched.hcp_id and strata.cycle = touched.cycle and touched.channel = $channel
    group by strata.stratum
)
select sum(cells), sum(with_touch), sum(case when with_touch between 0.02 * cells and 0.98 * cells then cells else 0 end) from one
"""

# residuals after the mean of the HCP and then of the cycle: how much of the variation of touches and of KPI they leave, and the
# variation of their products summed by HCP, which is larger where the KPI of one HCP drifts
VARIATION = """
with joined as (
    select strata.hcp_id, strata.cycle, strata.kpi, coalesce(touched.touches, 0) as touches
    from strata left join touched on strata.hcp_id = touched.hcp_id and strata.cycle = touched.cycle and touched.channel = $channel
),
by_hcp as (
    select hcp_id, cycle, kpi - avg(kpi) over (partition by hcp_id) as kpi, touches - avg(touches) over (partition by hcp_id) as touches
    from joined
),
residuals as (
    select hcp_id, kpi - avg(kpi) over (partition by cycle) as kpi, touches - avg(touches) over (partition by cycle) as touches from by_hcp
),
sums as (
    select sum(touches * touches) as variation, sum(kpi * kpi) as noise, sum(touches * kpi) as product, count(*) as cells
    from residuals
    group by hcp_id
)
select sum(variation), sum(noise), sum(cells), count(*), sum(product * product) from sums
"""
