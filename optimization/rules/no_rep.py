"""A channel that takes a rep's time is not open to an HCP without a rep."""

from __future__ import annotations

import numpy as np

from optimization.problem import RuleYield
from optimization.rules.context import Context


def declare(context: Context) -> RuleYield:
    """Whole-cycle blocks of HCPs without a rep on every channel with rep_minutes > 0."""
    pairs = context.pairs(np.flatnonzero(context.rep < 0), context.rep_channels)
    return RuleYield(blocks=[context.block("no_rep", pairs, 0, context.days - 1, "no rep assigned")])
