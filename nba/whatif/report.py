"""What if, as text: numbers side by side, actions that come and go, limits that bind, thresholds, the curve, the field's plan."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from nba.plain_text import one_line

if TYPE_CHECKING:
    import pandas as pd

    from optimization.problem import Problem
    from optimization.scenario import Scenario
    from optimization.scenario_compare import Comparison
    from optimization.scenario_curve import Curve
    from optimization.scenario_field import FieldPlan
    from optimization.scenario_forced import Threshold
    from optimization.solve import Solution

ROWS = 20  # rows of a table before the rest is only counted
TOGETHER = "all"
LABELS = {
    "objective": ("objective", ".6g"),
    "penalty": ("penalty of missed floors", ".6g"),
    "total": ("objective less penalty", ".6g"),
    "upper_bound": ("no plan can exceed", ".6g"),
    "gap": ("proven gap", ".2e"),
    "cost": ("cost", ".2f"),
    "rep_minutes": ("rep minutes", ".0f"),
    "actions": ("actions", ".0f"),
    "touches": ("touches", ".0f"),
    "hcps_reached": ("HCPs reached", ".0f"),
}


def table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> list[str]:
    """Lines of a table, the first column and texts to the left, numbers to the right."""
    cells = [[one_line(str(cell)) for cell in row] for row in rows]
    widths = [max(len(row[place]) for row in [list(head), *cells]) for place in range(len(head))]
    lefts = [place == 0 or any(row[place][:1].isalpha() for row in cells) for place in range(len(head))]
    return [
        "  "
        + "  ".join(
            f"{cell:<{width}}" if left else f"{cell:>{width}}" for cell, width, left in zip(row, widths, lefts, strict=True)
        ).rstrip()
        for row in [list(head), *cells]
    ]


def scenario_lines(problem: Problem, scenario: Scenario, after: Problem) -> list[str]:
    """What the scenario changes, limit by limit with its bound before and after."""
    before = {limit.limit_id: limit for limit in problem.limits}
    lines = [f"What if: {scenario.title}" if scenario.title else "What if:"]
    for limit in after.limits:
        old = before.get(limit.limit_id)
        if old is None:
            lines.append(f"  {limit.label}: {limit.bound:.10g} {limit.unit} (new)")
        elif asked(old) != asked(limit) or old.hardness != limit.hardness:
            hard = f", {old.hardness} -> {limit.hardness}" if old.hardness != limit.hardness else ""
            cut = f" (only {limit.bound:.10g} reachable)" if limit.bound < asked(limit) else ""
            lines.append(f"  {limit.label}: {asked(old):.10g} -> {asked(limit):.10g} {limit.unit}{hard}{cut}")
    lines += [f"  forced: {hcp} by {channel}" for hcp, channel in scenario.forced]
    lines += [f"  forbidden: {hcp} by {channel}" for hcp, channel in scenario.forbidden]
    return lines if len(lines) > 1 else [*lines, "  every limit as it is"]


def asked(limit: Any) -> float:
    """The bound as asked for, before a soft floor is cut to what is reachable."""
    return limit.bound if limit.requested is None else limit.requested


def comparison_lines(found: Comparison, other: Solution) -> list[str]:
    """The plans side by side."""
    numbers = found.numbers.set_index("number")
    rows = [
        (label, *(f"{numbers.at[name, side]:{style}}" for side in ("before", "after")), f"{numbers.at[name, 'change']:+{style}}")
        for name, (label, style) in LABELS.items()
    ]
    lines = ["", *table(["", "live", "what if", "change"], rows)]
    lines.append(
        f"  The plan is {other.status}. The best plan there is worth between {found.gain_low:+.6g} and {found.gain_high:+.6g} more."
    )
    return [*lines, *_move_lines(found.moves), *_limit_lines(found.limits)]


def _move_lines(moves: pd.DataFrame) -> list[str]:
    """Channels, then territories, then the cells of both where most actions move."""
    moves = moves.assign(moved=moves["gained"] + moves["lost"] + moves["changed"])
    moves = moves[moves["moved"] > 0]
    if moves.empty:
        return ["", "No action is gained or lost."]
    every_channel, everywhere = moves["channel"] == TOGETHER, moves["territory_id"] == TOGETHER
    cells = moves[~every_channel & ~everywhere].sort_values("moved", ascending=False, kind="stable")
    lines = ["", "Actions gained and lost (HCP x channel):", *_move_table(moves[everywhere])]
    lines += ["", *clipped(_move_table(moves[every_channel & ~everywhere]), "territories")]
    return [*lines, "", *clipped(_move_table(cells), "cells")]


def _move_table(moves: pd.DataFrame) -> list[str]:
    head = ["channel", "territory", "live", "what if", "gained", "lost", "other touches", "cost change"]
    rows = [
        (
            row.channel,
            row.territory_id,
            row.before,
            row.after,
            row.gained,
            row.lost,
            row.changed,
            f"{row.cost_after - row.cost_before:+.2f}",
        )
        for row in moves.itertuples()
    ]
    return table(head, rows)


def _limit_lines(limits: pd.DataFrame) -> list[str]:
    lines = []
    for turn in ("newly binding", "no longer binding"):
        rows = limits[limits["turn"] == turn]
        lines += ["", f"Limits {turn}: {len(rows)}"] if len(rows) else []
        texts = [
            f"  {row.label}: price {_or_none(row.price_before)} -> {row.price_after:.6g} per unit of {row.unit}, "
            f"{row.used_after:.10g} of {row.limit_after:.10g} used"
            for row in rows.itertuples()
        ]
        lines += clipped(texts, "limits")
    binding = limits[(limits["price_after"] > 0) & (limits["turn"] == "")]
    return [*lines, "", f"Limits that bind as before: {len(binding)}."]


def _or_none(number: float) -> str:
    return "none" if number != number else f"{number:.6g}"


def threshold_lines(problem: Problem, found: Threshold) -> list[str]:
    """What one forced pair costs, and what it would have to be worth."""
    from optimization.scenario import words_of

    words = words_of(problem, found.pair)
    lines = ["", f"{words}: worth {problem.value[found.pair]:.6g} per touch."]
    if found.held is None:
        return [*lines, "  No plan can hold it beside the other limits and pins."]
    if found.planned:
        lines.append("  It is planned already.")
    if found.is_exact:
        lines.append(f"  It is in an optimal plan from a rise of its value (all its touches together) by {found.high:.9g}, exactly.")
    else:
        lines.append(
            f"  It is in an optimal plan from a rise of its value (all its touches together) by {found.low:.6g} to {found.high:.6g}."
        )
    if not found.planned:
        lines.append(
            f"  value_short at the prices: {found.value_short:.6g}; no rise below {max(0.0, found.guarantee):.6g} can put it in (proven)."
        )
    return lines


def curve_lines(problem: Problem, curve: Curve) -> list[str]:
    """The curve as a table."""
    limit = problem.limits[curve.limit]
    head = [limit.unit, "no plan can exceed", f"gain per unit of {limit.unit}", "plan", "gap"]
    rows = [
        (
            f"{bound:.10g}",
            "limits conflict" if upper != upper else f"{upper:.6g}",
            "" if price != price else f"{price:.6g}",
            "" if total != total else f"{total:.6g}",
            "" if gap != gap else f"{gap:.2e}",
        )
        for bound, upper, price, total, gap in zip(curve.bound, curve.upper_bound, curve.price, curve.total, curve.gap, strict=True)
    ]
    return ["", f"Curve of {limit.label} ({len(rows)} bounds from {curve.vectors} price vectors):", *table(head, rows)]


def field_lines(plan: FieldPlan, part: Solution | None, ours: Solution, name: str) -> list[str]:
    """The field's plan beside ours: as given, cut to what is allowed, and the best part of it that keeps every limit."""
    total = ours.objective - ours.penalty
    rows = [
        ("as the field states it", *_worth(plan, 0), f"{len(plan.broken[0])}"),
        ("without what is not allowed", *_worth(plan, 1), f"{len(plan.broken[1])}"),
    ]
    if part is not None:
        rows.append(("its best part within all limits", f"{part.objective:.6g}", f"{part.penalty:.6g}", _actions(part.touches), "0"))
    rows.append((name, f"{ours.objective:.6g}", f"{ours.penalty:.6g}", _actions(ours.touches), "0"))
    lines = ["", "The field's own plan (current_plan) under the same limits:"]
    lines += table(["", "objective", "penalty", "actions", "rules broken"], rows)
    if part is None:
        lines.append("  No part of it keeps the hard minimums.")
    elif total > 0:
        worth = part.objective - part.penalty
        lines.append(
            f"  Objective less penalty, its best part is worth {worth / total:.1%} of ours; no plan can exceed {ours.upper_bound:.6g}."
        )
    counts = plan.rows["problem"].value_counts()
    if len(counts):
        lines.append("  Rows that cannot stand: " + ", ".join(f"{count} {problem}" for problem, count in counts.sort_index().items()) + ".")
    texts = [f"  Breaks {violation.rule}: {violation.label}, by {violation.amount:.6g}" for violation in plan.broken[0]]
    return lines + clipped(texts, "rules")


def _worth(plan: FieldPlan, which: int) -> tuple[str, str, str]:
    return f"{plan.objective[which]:.6g}", f"{plan.penalty[which]:.6g}", _actions((plan.given, plan.cut)[which])


def _actions(touches: Any) -> str:
    return str(int((touches > 0).sum()))


def clipped(lines: list[str], what: str) -> list[str]:
    """At most `ROWS` lines and how many more there are."""
    if len(lines) <= ROWS + 1:
        return lines
    return [*lines[:ROWS], f"  ... and {len(lines) - ROWS} more {what}"]
