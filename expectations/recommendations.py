"""What the field is told to do: how much of it, where, at which cost."""

from __future__ import annotations

from nba.gates.expecting import Expected
from nba.gates.facts import Facts, largest_moves, ratio, shift
from nba.gates.limits import Limits
from nba.gates.profile import Sides

TABLE = "recommendations"


def facts(sides: Sides) -> Facts:
    """The plan beside the last good one."""
    found = Facts()
    touches = sides.now.items(TABLE, "touches", "channel")
    eligible = float(sides.now.items("hcp_channel_scores", "worth_it", "channel").sum())
    # 0 eligible pairs of value: nothing can be planned, and that is right
    found.add(actions=float(touches.sum()) if eligible else 1.0)
    before = sides.before.items(TABLE, "touches", "channel")
    if not sides.can_compare or before.sum() < sides.min_hcps:
        return found
    found.add(actions_kept=ratio(float(touches.sum()), float(before.sum())))
    for measure in ("total_cost", "expected_impact"):
        ours, theirs = (side.items(TABLE, measure, "channel").sum() for side in (sides.now, sides.before))
        each = ratio(ratio(float(ours), float(touches.sum())), ratio(float(theirs), float(before.sum())))
        found.add("cost" if measure == "total_cost" else measure, **{f"{measure}_of_an_action": each})
    if sides.can_compare_shares:
        found.add("channel", largest_moves(touches, before), mix_moved=shift(touches, before))
    return found


def expected(limits: Limits) -> list[Expected]:
    """Half of the actions gone, or actions worth another order of magnitude, close the gate; another mix is worth a look."""
    rules = "see which inputs or rules changed, with nba diff and plan_quality"
    times = {"at_least": lambda level: 1 / limits.most_times(level), "at_most": limits.most_times, "shown": "times"}
    return [
        Expected(
            "actions",
            "plan",
            "plan {observed} actions although pairs are eligible and worth it",
            "see constraint_prices for the limits that forbid them",
            at_least=1,
            levels=("warn",),
        ),
        Expected(
            "actions_kept",
            "plan",
            "plan {observed} of the actions of the last good run",
            rules,
            at_least=limits.least_kept,
            shown="percent",
        ),
        Expected("total_cost_of_an_action", "plan", "cost for each action {observed} what they cost in the last good run", rules, **times),
        Expected(
            "expected_impact_of_an_action",
            "plan",
            "bring for each action {observed} what they brought in the last good run",
            rules,
            **times,
        ),
        Expected(
            "mix_moved",
            "plan",
            "have {observed} of the actions in another channel than the last good run",
            rules,
            at_most=limits.most_shifted,
            levels=("warn",),
            shown="percent",
        ),
    ]
