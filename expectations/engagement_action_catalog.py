"""What can be done and what it costs."""

from __future__ import annotations

from nba.gates.expecting import Expected
from nba.gates.facts import Facts, ratio
from nba.gates.limits import Limits
from nba.gates.profile import Sides

TABLE = "engagement_action_catalog"


def facts(sides: Sides) -> Facts:
    """Channels then and now, and their numbers side by side."""
    found = Facts()
    values = {column: sides.now.items(TABLE, "value", column) for column in ("unit_cost", "expected_uplift")}
    found.add(rows=float(len(values["unit_cost"])))
    if sides.can_compare:
        for column, now in values.items():
            before = sides.before.items(TABLE, "value", column)
            if column == "unit_cost":
                found.add(channels_kept=ratio(len(now.index.intersection(before.index)), len(before)))
            for channel in now.index.intersection(before.index):
                found.add(column, channel, **{f"{column}_change": ratio(now[channel], before[channel])})
    return found


def expected(limits: Limits) -> list[Expected]:
    """Costs in another unit close the gate; channels may come and go, and a belief may be revised, with a word about it."""
    times = {"at_least": lambda level: 1 / limits.most_times(level), "at_most": limits.most_times, "shown": "times"}
    return [
        Expected("rows", "volume", "has {observed} rows", "load at least one channel", at_least=1, levels=("error",)),
        Expected(
            "channels_kept",
            "volume",
            "has {observed} of the channels of the last good run",
            "see that the others are closed on purpose",
            at_least=limits.least_kept,
            levels=("warn",),
            shown="percent",
        ),
        Expected(
            "unit_cost_change",
            "distribution",
            "costs up to {observed} what it cost in the last good run",
            "see whether the unit of the cost changed",
            **times,
        ),
        Expected(
            "expected_uplift_change",
            "distribution",
            "believes {observed} the uplift that the last good run believed",
            "see that the belief was revised on purpose",
            levels=("warn",),
            **times,
        ),
    ]
