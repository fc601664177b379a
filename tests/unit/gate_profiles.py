"""Two runs of a made-up field as gates see them: profiles in which everything is as it should be, for tests to spoil."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from typing import Any

import pyarrow as pa

CYCLE = date(2026, 1, 5)
WEEKS = 40
CHANNELS = ("email", "phone", "visit")
RULES = ("budget", "channel_capacity", "rep_capacity", "contact_limit", "exclusion", "consent", "access", "channel_window")
RULES += ("min_gap", "incompatible", "coverage_floor", "holdout", "override")
RUN: dict[str, Any] = {
    "run_id": "now",
    "cycle_start": CYCLE,
    "window_long": 12,
    **{f"gate_{family}": "error" for family in ("volume", "freshness", "distribution", "coverage", "plan")},
    "gate_min_hcps": 200,
    "gate_volume_drop": 0.5,
    "gate_share_shift": 0.35,
    "gate_level_factor": 5.0,
    "gate_warn_at": 0.4,
    "gate_late_periods": 8,
    "gate_kpi_lag_periods": 6,
}
Row = dict[str, Any]
Spoil = Callable[[list[Row]], Iterable[Row]]
SCHEMA = pa.schema(
    {
        "table_name": pa.string(),
        "subject": pa.string(),
        "item": pa.string(),
        "period_start": pa.date32(),
        "measure": pa.string(),
        "amount": pa.float64(),
    }
)


def row(table: str, measure: str, amount: float, subject: str = "", item: str = "", period: date | None = None) -> Row:
    return {"table_name": table, "subject": subject, "item": item, "period_start": period, "measure": measure, "amount": float(amount)}


def input_rows(hcps: int = 1000) -> list[Row]:
    """An ordinary field of `hcps`, which has all HCPs of the run before."""
    rows = [row("hcp_master", "rows", hcps), row("hcp_master", "kept_hcps", hcps), row("hcp_master", "hcps_before", hcps)]
    spreads = {
        "specialty": ("cardiology", "family"),
        "practice_type": ("solo", "group"),
        "decile": ("1", "2"),
        "territory_id": ("T1", "T2"),
    }
    for column, items in {**spreads, "rep_access": ("open", "no_see")}.items():
        rows += [row("hcp_master", "rows", hcps / 2, column, item) for item in items]
    for week in range(1, WEEKS + 1):
        period = CYCLE - timedelta(days=7 * week)
        for channel in CHANNELS:
            shares = {"rows": 0.3, "touches": 0.4, "recorded_touches": 0.4, "responses": 0.1, "recorded_rows": 0.3}
            rows += [row("engagement_history", name, hcps * share, "channel", channel, period) for name, share in shares.items()]
        counts = {"rows": 0.9, "given_rows": 0.9, "zero_rows": 0.2}
        rows += [row("kpi_metrics", name, hcps * share, "kpi_value", "", period) for name, share in counts.items()]
    rows += [row("engagement_history", "covered_hcps", hcps * 0.9), row("engagement_history", "late_periods", 0)]
    rows += [row("engagement_history", "known_rows", hcps * 0.9 * WEEKS), row("kpi_metrics", "covered_hcps", hcps * 0.9)]
    rows += [
        row("kpi_metrics", "late_periods", 2),
        row("kpi_metrics", "middle", 3, "kpi_value"),
        row("kpi_metrics", "high", 9, "kpi_value"),
    ]
    for channel in CHANNELS:
        rows += [row("engagement_action_catalog", "value", value, column, channel) for column, value in COSTS.items()]
    rows += [row("rule_consent", "opt_ins", hcps * 0.7, "channel", channel) for channel in CHANNELS[:2]]
    return rows + [row(f"rule_{name}", "rows", hcps if name == "exclusion" else 5) for name in RULES]


COSTS = {"unit_cost": 10.0, "expected_uplift": 0.2, "rep_minutes": 5.0}


def plan_rows(hcps: int = 1000) -> list[Row]:
    """A plan of 0.4 actions an HCP and channel."""
    rows = [row("hcp_master", "rows", hcps), row("hcp_master", "kept_hcps", hcps), row("hcp_master", "hcps_before", hcps)]
    for channel in CHANNELS:
        planned = {"rows": 0.4, "touches": 0.4, "total_cost": 4.0, "expected_impact": 0.08, "hcps": 0.4}
        rows += [row("recommendations", name, hcps * share, "channel", channel) for name, share in planned.items()]
        pairs = {"rows": hcps, "eligible": hcps * 0.8, "worth_it": hcps * 0.7, "mean_probability": 0.3, "lowest_probability": 0.01}
        pairs |= {"highest_probability": 0.9, "mean_impact": 0.2}
        rows += [row("hcp_channel_scores", name, value, "channel", channel) for name, value in pairs.items()]
        rows += [row("channel_usage", name, hcps * share, "channel", channel) for name, share in (("touches", 0.4), ("total_cost", 4.0))]
    summary = {"objective": 240, "solve_gap": 0.0001, "total_cost": 12000, "actions": 1200, "hcps_reached": 800}
    return rows + [row("plan_summary", name, value) for name, value in summary.items()]


def table(rows: Iterable[Row]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), SCHEMA)


def times(factor: float, **where: Any) -> Spoil:
    """Multiply the amounts of the rows that have these values; `newest=n`: only those of the newest n periods."""
    newest = where.pop("newest", None)

    def spoil(rows: list[Row]) -> list[Row]:
        hit = 0
        for one in rows:
            in_time = newest is None or (one["period_start"] is not None and one["period_start"] >= CYCLE - timedelta(days=7 * newest))
            if in_time and all(one[name] == value for name, value in where.items()):
                one["amount"] *= factor
                hit += 1
        assert hit, f"nothing to spoil: {where}"
        return rows

    return spoil


def without(**where: Any) -> Spoil:
    """Leave these rows out; `older=n`: only those older than n periods."""
    older = where.pop("older", None)

    def spoil(rows: list[Row]) -> list[Row]:
        def is_hit(one: Row) -> bool:
            in_time = older is None or (one["period_start"] is not None and one["period_start"] < CYCLE - timedelta(days=7 * older))
            return in_time and all(one[name] == value for name, value in where.items())

        kept = [one for one in rows if not is_hit(one)]
        assert len(kept) < len(rows), f"nothing to leave out: {where}"
        return kept

    return spoil


def put(amount: float, **where: Any) -> Spoil:
    """Give the rows that have these values another amount."""

    def spoil(rows: list[Row]) -> list[Row]:
        hits = [one for one in rows if all(one[name] == value for name, value in where.items())]
        assert hits, f"nothing to spoil: {where}"
        for one in hits:
            one["amount"] = float(amount)
        return rows

    return spoil


def both(*spoils: Spoil) -> Spoil:
    """One after the other."""

    def spoil(rows: list[Row]) -> list[Row]:
        for one in spoils:
            rows = list(one(rows))
        return rows

    return spoil
