"""A channel is not open to HCPs of the access levels that the table names for it.

Table rule_access: null rep_access or channel = all. An unknown level of an HCP counts as restricted.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from optimization.problem import RuleYield
from optimization.rules.context import ALL, Context, codes_of, unknown_names

LEVELS = ("open", "restricted", "no_see")


def declare(context: Context) -> RuleYield:
    """Whole-cycle blocks of every HCP of a named level on the named channels."""
    table = context.tables["rule_access"]
    channels = context.channel_codes(table["channel"])
    levels = pa.array(LEVELS)
    named = codes_of(table["rep_access"], levels)
    shut = np.zeros((len(LEVELS), context.channel_count), dtype=bool)
    for level, channel in zip(named, channels, strict=True):
        if level != -1 and channel != -1:
            shut[slice(None) if level == ALL else level, slice(None) if channel == ALL else channel] = True
    held = codes_of(context.tables["hcps"]["rep_access"], levels)
    held = np.where(held < 0, LEVELS.index("restricted"), held)
    blocks = []
    for level, channel in np.argwhere(shut):
        pairs = np.flatnonzero(held == level) * context.channel_count + channel
        detail = f"{context.labels[channel]} is not open at access {LEVELS[level]}"
        blocks.append(context.block("access", pairs, 0, context.days - 1, detail))
    warnings = unknown_names("rule_access", "rep_access", table["rep_access"], named)
    return RuleYield(blocks=blocks, warnings=warnings + unknown_names("rule_access", "channel", table["channel"], channels))
