"""What can be said of the tables and of time: match rates, spans, lags."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import duckdb

PERIODS = {"week": 4, "month": 1}  # periods of a cycle by grain


@dataclass(frozen=True)
class Finding:
    """One measure. `section`: tables, time, channel or control; `subject`: table, channel or arm; `value` None = cannot be told."""

    section: str
    subject: str
    measure: str
    value: float | None
    unit: str
    text: str


def one_row(connection: duckdb.DuckDBPyConnection, sql: str, values: dict[str, Any] | None = None) -> tuple[Any, ...]:
    """The one row of a query."""
    return connection.execute(sql, values or {}).fetchone()


def share_of(part: float, whole: float) -> float | None:
    """part / whole; None where there is no whole."""
    return part / whole if whole else None


def percent_words(value: float | None) -> str:
    """A share in words."""
    return "unknown" if value is None else f"{100 * value:.1f}%"


def about_tables(connection: duckdb.DuckDBPyConnection) -> list[Finding]:
    """HCPs, and the share of every other table's HCPs that the master has."""
    rows, hcps = one_row(connection, "select count(*), count(distinct hcp_id) from hcp_master where hcp_id is not null")
    found = [
        Finding(
            "tables", "hcp_master", "hcps", float(hcps), "HCPs", f"{hcps} HCPs" + (f", {rows - hcps} rows too many" if rows > hcps else "")
        )
    ]
    for table in ("engagement_history", "kpi_metrics", "rule_consent", "rule_exclusion", "rule_override"):
        total, there, known = one_row(
            connection,
            f"select count(distinct t.hcp_id), count(distinct t.hcp_id) filter (h.hcp_id is not null), (select count(*) from {table}) "
            f"from {table} as t left join (select distinct hcp_id from hcp_master) as h on t.hcp_id = h.hcp_id",
        )
        share = share_of(there, total)
        text = (
            f"{there} of {total} HCPs are in hcp_master ({percent_words(share)})"
            if total
            else ("is empty" if not known else "names no HCP")
        )
        found.append(Finding("tables", table, "match_share", share, "share", text))
        if table in ("engagement_history", "kpi_metrics"):
            covered = share_of(there, hcps)
            found.append(
                Finding("tables", table, "coverage", covered, "share", f"{percent_words(covered)} of the HCPs of the master have a row")
            )
    return found


def about_time(connection: duckdb.DuckDBPyConnection, grain: str) -> list[Finding]:
    """Spans, missing periods, how late rows are known, how far the KPI lies behind, unknown values."""
    words = {
        "week": "weekly periods",
        "month": "monthly periods",
        "mixed": "weeks and other days are mixed: all starts must lie whole weeks apart, or all on the first of a month",
        "none": "no period at all",
    }
    found = [Finding("time", "both", "grain", None, "", words[grain])]
    for table in ("engagement_history", "kpi_metrics"):
        first, last, starts, rows, known, undated = one_row(
            connection,
            f"select min(period_start), max(period_start), count(distinct period_start), count(*), count(known_at), "
            f"count(*) - count(period_start) from {table}",
        )
        if first is None:
            found.append(Finding("time", table, "periods", 0.0, "periods", "has no period"))
            continue
        between = (last - first).days // 7 + 1 if grain != "month" else (last.year - first.year) * 12 + last.month - first.month + 1
        missing = max(between - starts, 0)
        text = f"{starts} periods from {first} to {last}" + (f", {missing} without any row" if missing else "")
        found.append(Finding("time", table, "periods", float(starts), "periods", text))
        found.append(Finding("time", table, "missing_periods", float(missing), "periods", ""))
        if undated:
            found.append(
                Finding("time", table, "unreadable_dates", float(undated), "rows", f"{undated} rows have no readable period_start")
            )
        share = share_of(known, rows)
        found.append(Finding("time", table, "known_at_share", share, "share", f"known_at is given on {percent_words(share)} of the rows"))
        found += _delay(connection, table, grain)
    ends = one_row(connection, "select (select max(period_start) from engagement_history), (select max(period_start) from kpi_metrics)")
    if None not in ends:
        days = (ends[0] - ends[1]).days
        lag = days / 7 if grain == "week" else (ends[0].year - ends[1].year) * 12 + ends[0].month - ends[1].month
        text = f"KPI ends {lag:g} periods before engagement" if lag > 0 else "KPI reaches as far as engagement"
        found.append(Finding("time", "kpi_metrics", "lag", float(max(lag, 0)), "periods", text))
    unknown, rows = one_row(connection, "select count(*) - count(kpi_value), count(*) from kpi_metrics")
    if unknown:
        share = share_of(unknown, rows)
        found.append(
            Finding(
                "time", "kpi_metrics", "unknown_share", share, "share", f"the KPI is unknown (null) on {percent_words(share)} of the rows"
            )
        )
    return found


def _delay(connection: duckdb.DuckDBPyConnection, table: str, grain: str) -> list[Finding]:
    """Days from the end of a period to known_at, the middle and the 95% of them."""
    if grain not in PERIODS:
        return []
    end = "period_start + interval 7 day" if grain == "week" else "period_start + interval 1 month"
    middle, late = one_row(
        connection,
        f"select quantile_disc(wait, 0.5), quantile_disc(wait, 0.95) from (select greatest(date_diff('day', {end}, known_at), 0) as wait "
        f"from {table} where known_at is not null and period_start is not null)",
    )
    if middle is None:
        return []
    text = f"half of the rows are known within {middle} days after their period, 95% within {late}"
    return [Finding("time", table, "delay_95", float(late), "days", text)]
