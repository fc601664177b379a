"""What was reached: the KPI by period, up to the cycle; newest periods may be missing because prescriptions are known late."""

from __future__ import annotations

from nba.gates.expecting import Expected
from nba.gates.facts import NAN, Facts, ratio, same_periods
from nba.gates.limits import Limits
from nba.gates.profile import Sides

TABLE = "kpi_metrics"


def facts(sides: Sides) -> Facts:
    """The same periods then and now, and the level of the KPI by HCP."""
    found = Facts()
    rows = sides.now.cells(TABLE, "rows", "kpi_value")
    found.add(rows=float(rows.to_numpy().sum()), late_periods=sides.now.amount(TABLE, "late_periods"))
    if not sides.can_compare:
        return found
    before = sides.before.cells(TABLE, "rows", "kpi_value")
    ours, theirs = same_periods(rows, before, sides.cycle_start)
    found.add(
        rows_kept=ratio(float(ours.to_numpy().sum()), float(theirs.to_numpy().sum())),
        periods_kept=ratio(len(ours), len(before[before.index < sides.cycle_start])),
    )
    covered = [
        ratio(side.amount(TABLE, "covered_hcps"), hcps) for side, hcps in ((sides.now, sides.now_hcps), (sides.before, sides.before_hcps))
    ]
    found.add(covered_change=ratio(*covered))
    if sides.can_compare_shares:
        for measure, counted in (("given_share_moved", "given_rows"), ("zero_share_moved", "zero_rows")):
            now, then = (_share(side, counted, ours.index) for side in (sides.now, sides.before))
            found.add("kpi_value", **{measure: abs(now - then)})
        for quantile, item in (("middle", "median of HCPs"), ("high", "upper decile of HCPs")):
            levels = [side.amount(TABLE, quantile, "kpi_value") for side in (sides.now, sides.before)]
            found.add("kpi_value", item, level_change=_factor(*levels))
    return found


def _share(side: object, counted: str, periods: object) -> float:
    """Share of the rows of these periods that are counted."""
    counts, rows = (side.cells(TABLE, measure, "kpi_value").reindex(periods).to_numpy().sum() for measure in (counted, "rows"))
    return ratio(float(counts), float(rows))


def _factor(now: float, before: float) -> float:
    """now / before, unknown where either is not positive: half of the HCPs without any KPI is no level."""
    return ratio(now, before) if now > 0 and before > 0 else NAN


def expected(limits: Limits) -> list[Expected]:
    """An old or halved KPI, other units, a column that became empty close the gate."""
    extract = "compare the extract with the one before, period by period"
    late = limits.late_periods + limits.kpi_lag_periods
    return [
        Expected(
            "rows",
            "volume",
            "has {observed} rows before the cycle",
            "load a KPI that starts before nba_cycle_start",
            at_least=1,
            levels=("error",),
        ),
        Expected(
            "late_periods",
            "freshness",
            "ends {observed} whole periods before the cycle",
            "load the newest periods, or plan the cycle that follows them",
            at_most=late,
            levels=("error",),
        ),
        Expected(
            "rows_kept",
            "volume",
            "has {observed} of the rows that the last good run had in the same periods",
            extract,
            at_least=limits.least_kept,
            shown="percent",
        ),
        Expected(
            "periods_kept",
            "volume",
            "has {observed} of the periods of the last good run",
            extract,
            at_least=limits.least_kept,
            shown="percent",
        ),
        Expected(
            "covered_change",
            "coverage",
            "covers {observed} of the share of HCPs that it covered in the last good run",
            extract,
            at_least=limits.least_kept,
            shown="percent",
        ),
        Expected(
            "given_share_moved",
            "distribution",
            "has a share of rows with a value that moved by {observed} against the last good run",
            "see whether the column was filled",
            at_most=limits.most_shifted,
            shown="percent",
        ),
        Expected(
            "zero_share_moved",
            "distribution",
            "has a share of zeros that moved by {observed} against the last good run",
            "see whether missing values were written as 0",
            at_most=limits.most_shifted,
            shown="percent",
        ),
        Expected(
            "level_change",
            "distribution",
            "has a level of {observed} that of the last good run",
            "see whether the unit of the KPI changed",
            at_least=lambda level: 1 / limits.most_times(level),
            at_most=limits.most_times,
            shown="times",
        ),
    ]
