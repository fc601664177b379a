"""What the published run measured of past cycles, as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nba.diff.report import Section

Row = Mapping[str, Any]
TABLES = ("measured_lift", "plan_adherence", "off_policy_value", "uplift_curve")
NOTHING = "No past cycle to measure: a first plan has nothing behind it."


def sections(tables: Mapping[str, Sequence[Row]]) -> list[Section]:
    """Table name -> rows, as parts of a report. Cycles newest first, all together before them."""
    if not tables["measured_lift"]:
        return [Section("Measurement", (NOTHING,))]
    parts = [_lift(tables["measured_lift"]), _adherence(tables["plan_adherence"])]
    return [*parts, _policies(tables["off_policy_value"]), _curves(tables["uplift_curve"])]


def _lift(rows: Sequence[Row]) -> Section:
    head = ("cycle", "estimator", "lift", "90% interval", "total", "plan", "control", "predicted", "predicted/measured", "status")
    found = tuple(
        (
            row["measured_cycle"],
            row["estimator"],
            number(row["lift"]),
            interval(row["lift_low"], row["lift_high"]),
            number(row["total_lift"]),
            whole(row["plan_hcps"]),
            whole(row["control_hcps"]),
            number(row["predicted_lift"]),
            number(row["predicted_ratio"]),
            said(row),
        )
        for row in newest_first(rows, "estimator", ("itt", "adjusted", "per_touch"))
    )
    return Section("Lift of the plan over the control arm (KPI per HCP and cycle; per_touch: per executed touch)", (), head, found)


def _adherence(rows: Sequence[Row]) -> Section:
    """By cycle and channel: reps are in the table."""
    sums: dict[tuple[str, str], dict[str, int]] = {}
    counted = ("planned", "accepted", "dismissed", "executed", "touched")
    for row in newest_first(rows, "channel", ()):
        kept = sums.setdefault((row["measured_cycle"], row["channel"]), dict.fromkeys((*counted, "unknown"), 0))
        for name in counted:
            kept[name] += row[name] or 0
        kept["unknown"] += row["touched"] is None
    head = ("cycle", "channel", *counted, "adherence")
    found = []
    for (cycle, channel), kept in sums.items():
        known = not kept["unknown"]
        rate = f"{kept['touched'] / kept['planned']:.0%}" if known else "not known yet"
        found.append((cycle, channel, *(str(kept[name]) for name in counted[:-1]), str(kept["touched"]) if known else "", rate))
    return Section("Planned actions that were done (actions)", (), head, tuple(found))


def _policies(rows: Sequence[Row]) -> Section:
    if not rows:
        return Section("Other policies, judged from explore HCPs", ("No HCP explored.",))
    shown = [row for row in newest_first(rows, "policy", ("none", "uniform", "best_impact")) if row["estimator"] == "dr"]
    head = ("cycle", "policy", "value", "90% interval", "over none", "90% interval", "effective HCPs", "status")
    found = tuple(
        (
            row["measured_cycle"],
            row["policy"],
            number(row["value"]),
            interval(row["value_low"], row["value_high"]),
            number(row["lift"]),
            interval(row["lift_low"], row["lift_high"]),
            number(row["effective_size"]),
            said(row),
        )
        for row in shown
    )
    return Section("Other policies, judged from explore HCPs (KPI per HCP and cycle, doubly robust)", (), head, found)


def _curves(rows: Sequence[Row]) -> Section:
    if not rows:
        return Section("Uplift by expected impact", ("No drawn arms or actions whose KPI is known yet.",))
    last = [row for row in newest_first(rows, "channel", ("all",)) if row["share"] == 1.0]
    head = ("cycle", "comparison", "channel", "gain of all", "90% interval", "Qini", "90% interval", "status")
    found = tuple(
        (
            row["measured_cycle"],
            row["comparison"],
            row["channel"],
            number(row["gain"]),
            interval(row["gain_low"], row["gain_high"]),
            number(row["qini"]),
            interval(row["qini_low"], row["qini_high"]),
            said(row),
        )
        for row in last
    )
    return Section("Uplift by expected impact (KPI per HCP; --picture draws the curves)", (), head, found)


def newest_first(rows: Sequence[Row], name: str, order: Sequence[str]) -> list[Row]:
    """Rows of all cycles together, then the newest cycle, and so on; within one by `name`, those of `order` first."""

    def place(row: Row) -> tuple[int, str, str]:
        known = order.index(row[name]) if row[name] in order else len(order)
        return known, str(row[name]), str(row.get("comparison") or row.get("estimator") or row.get("rep_id"))

    cycles = sorted({row["measured_cycle"] for row in rows}, key=lambda cycle: (cycle == "pooled", cycle), reverse=True)
    return [row for cycle in cycles for row in sorted((row for row in rows if row["measured_cycle"] == cycle), key=place)]


def said(row: Row) -> str:
    """Status and, where nothing is claimed, why."""
    return row["status"] if not row["reason"] else f"{row['status']}: {row['reason']}"


def number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def whole(value: int | None) -> str:
    return "" if value is None else str(int(value))


def interval(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{low:.4g} to {high:.4g}"
