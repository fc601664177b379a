"""The plan in one row: what it is worth, what it costs, how good it is proven to be."""

from __future__ import annotations

from nba.gates.expecting import Expected
from nba.gates.facts import Facts, ratio
from nba.gates.limits import Limits
from nba.gates.profile import Sides

TABLE = "plan_summary"


def facts(sides: Sides) -> Facts:
    """Headline numbers beside those of the last good run."""
    found = Facts()
    now, before = ({name: side.amount(TABLE, name) for name in MEASURES} for side in (sides.now, sides.before))
    found.add(gap=now["solve_gap"])
    if sides.can_compare and before["actions"] >= sides.min_hcps:
        found.add("hcps_reached", hcps_reached_kept=ratio(now["hcps_reached"], before["hcps_reached"]))
        found.add("objective", objective_change=ratio(now["objective"], before["objective"]) if before["objective"] > 0 else float("nan"))
        found.add("total_cost", cost_change=ratio(now["total_cost"], before["total_cost"]))
    return found


MEASURES = ("objective", "solve_gap", "total_cost", "actions", "hcps_reached")


def expected(limits: Limits) -> list[Expected]:
    """Half of the HCPs not reached any more, a value or a cost of another order close the gate; so does a plan that proves nothing."""
    rules = "see which inputs or rules changed, with nba diff and plan_quality"
    return [
        Expected(
            "gap",
            "plan",
            "may be {observed} below the best plan",
            "raise nba_node_limit",
            at_most=lambda level: 0.5 if level == "error" else 0.05,
            shown="percent",
        ),
        Expected(
            "hcps_reached_kept",
            "plan",
            "reaches {observed} of the HCPs of the last good run",
            rules,
            at_least=limits.least_kept,
            shown="percent",
        ),
        Expected(
            "objective_change",
            "plan",
            "is worth {observed} what the last good run was worth",
            rules,
            at_least=lambda level: 1 / limits.most_times(level),
            at_most=limits.most_times,
            shown="times",
        ),
        Expected("cost_change", "plan", "costs {observed} what the last good run cost", rules, at_most=limits.most_times, shown="times"),
    ]
