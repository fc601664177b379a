"""Two channels that are incompatible are not both planned for one HCP in one cycle.

Table rule_incompatible: channel_a and channel_b in either order; null or `*` = any other channel.
"""

from __future__ import annotations

import numpy as np

from optimization.problem import NotTogether, RuleYield
from optimization.rules.context import Context, unknown_names


def declare(context: Context) -> RuleYield:
    """One row per HCP who is eligible on both channels."""
    table = context.tables["rule_incompatible"]
    left, right = context.channel_codes(table["channel_a"]), context.channel_codes(table["channel_b"])
    couples = sorted(
        {
            (min(one, other), max(one, other))
            for first, second in zip(left, right, strict=True)
            for one in context.channel_list(int(first)).tolist()
            for other in context.channel_list(int(second)).tolist()
            if one != other
        }
    )
    assert context.runs is not None
    eligible = context.runs.eligible.reshape(-1, context.channel_count)
    exclusive = []
    for one, other in couples:
        hcps = np.flatnonzero(eligible[:, one] & eligible[:, other])
        members = hcps[:, None] * context.channel_count + np.array([one, other])
        exclusive.append(NotTogether("incompatible", f"{context.labels[one]} and {context.labels[other]} are incompatible", members))
    warnings = unknown_names("rule_incompatible", "channel_a", table["channel_a"], left)
    return RuleYield(exclusive=exclusive, warnings=warnings + unknown_names("rule_incompatible", "channel_b", table["channel_b"], right))
