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
    """One cost limit per row and scope; pairs that cost nothing are left out."""
    table = context.tables["rule_budget"]
    limits = []
    paid = np.flatnonzero(context.unit_cost > 0)
    for row in np.flatnonzero(~np.isnan(table["max_cost"])):
        for channel, codes in context.channel_scopes(table["channel"][row]):
            for territory, hcps in context.territory_scopes(table["territory_id"][row]):
                pairs = context.eligible_pairs(hcps, np.intersect1d(codes, paid))
                limits.append(
                    Limit(
                        limit_id="",
                        rule="budget",
                        side="max",
                        unit="cost",
                        label=f"budget{scope_phrase(context, channel, territory)}" if channel or territory else "total budget",
                        bound=float(table["max_cost"][row]),
                        pairs=pairs,
                        coefficients=context.unit_cost[pairs % context.channel_count],
                        channel=channel,
                        territory_id=territory,
                    )
                )
    warnings = unknown_names("rule_budget", "channel", table["channel"], context.channel_codes(table["channel"]))
    return RuleYield(limits=limits, warnings=warnings)
