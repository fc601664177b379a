"""A channel gives at least so many and at most so many touches in a scope.

Table rule_channel_capacity: min_actions <= sum of touches over the pairs of the scope <= max_actions, either side may be
null; channel or territory_id null = all together, `*` = each separately.
"""

from __future__ import annotations

import numpy as np

from optimization.problem import Limit, RuleYield
from optimization.rules.context import Context, unknown_names
from optimization.rules.scopes import scope_phrase


def declare(context: Context) -> RuleYield:
    """Up to two touch limits per row and scope; a minimum of 0 says nothing."""
    table = context.tables["rule_channel_capacity"]
    limits = []
    for row in range(table.rows):
        sides = (("min", table["min_actions"][row], "minimum"), ("max", table["max_actions"][row], "capacity"))
        for channel, codes in context.channel_scopes(table["channel"][row]):
            for territory, hcps in context.territory_scopes(table["territory_id"][row]):
                phrase = scope_phrase(context, channel, territory) or " of all channels"
                limits += [
                    Limit(
                        limit_id="",
                        rule="channel_capacity",
                        side=side,
                        unit="touches",
                        label=f"{word}{phrase}",
                        bound=float(bound),
                        hcps=hcps,
                        use=context.per_touch(codes),
                        channel=channel,
                        territory_id=territory,
                    )
                    for side, bound, word in sides
                    if not np.isnan(bound) and (side == "max" or bound > 0)
                ]
    warnings = unknown_names("rule_channel_capacity", "channel", table["channel"], context.channel_codes(table["channel"]))
    return RuleYield(limits=limits, warnings=warnings)
