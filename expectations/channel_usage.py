"""How much each channel is used."""

from __future__ import annotations

from nba.gates.expecting import Expected
from nba.gates.facts import Facts, ratio
from nba.gates.limits import Limits
from nba.gates.profile import Sides

TABLE = "channel_usage"


def facts(sides: Sides) -> Facts:
    """Touches of a channel beside the last good run; its use in the plan beside the actions that are listed."""
    found = Facts()
    touches = sides.now.items(TABLE, "touches", "channel")
    listed = sides.now.items("recommendations", "touches", "channel")
    found.add(unlisted=float(touches.sub(listed, fill_value=0.0).abs().sum()))
    before = sides.before.items(TABLE, "touches", "channel")
    if sides.can_compare:
        for channel in touches.index.intersection(before.index[before >= sides.min_hcps]):
            found.add("touches", channel, touches_kept=ratio(touches[channel], before[channel]))
    return found


def expected(limits: Limits) -> list[Expected]:
    """Use that is not in the list of actions closes the gate; a channel that falls silent is worth a look."""
    return [
        Expected(
            "unlisted",
            "plan",
            "counts {observed} touches that recommendations do not list, or too few",
            "report it",
            at_most=0,
            levels=("error",),
        ),
        Expected(
            "touches_kept",
            "plan",
            "uses a channel for {observed} of the touches of the last good run",
            "see constraint_prices and pair_blocks of the channel",
            at_least=limits.least_kept,
            levels=("warn",),
            shown="percent",
        ),
    ]
