"""The actions of a scope cost at most so much.

Table rule_budget: sum of unit_cost x touches over the pairs of the scope <= max_cost; channel or territory_id null = all
together, `*` = each separately.
"""

from __future__ import annotations

import numpy as np

from optimization.problem import Limit, RuleYield
from optimization.rules.context import Context, unknown_names
from optimization.rules.scopes import scope_phrase


def declare(context: Context) -> RuleYield:
    """One cost limit per row and scope."""
    table = context.tables["rule_budget"]
    limits = []
    for row in np.flatnonzero(~np.isnan(table["max_cost"])):
        for channel, codes in context.channel_scopes(table["channel"][row]):
            for territory, hcps in context.territory_scopes(table["territory_id"][row]):
                limits.append(
                    Limit(
                        limit_id="",
                        rule="budget",
                        side="max",
                        unit="cost",
                        label=f"budget{scope_phrase(context, channel, territory)}" if channel or territory else "total budget",
                        bound=float(table["max_cost"][row]),
                        hcps=hcps,
                        use=context.per_touch(codes, context.unit_cost),
                        channel=channel,
                        territory_id=territory,
                    )
                )
    warnings = unknown_names("rule_budget", "channel", table["channel"], context.channel_codes(table["channel"]))
    return RuleYield(limits=limits, warnings=warnings)
