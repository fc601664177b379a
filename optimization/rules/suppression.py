"""A suggestion that the field dismissed is not made again for a while.

Table suppressions, derived from what was said of earlier suggestions: a pair is closed on the days valid_from..valid_to. It stands
among the overrides, as somebody's decision about one HCP and one channel; a manager's pin of the pair that is live in the cycle wins.
"""

from __future__ import annotations

import numpy as np

from optimization.problem import RuleYield
from optimization.rules.context import Context, worded


def declare(context: Context) -> RuleYield:
    """The days on which dismissed pairs are left alone."""
    table = context.tables["suppressions"]
    hcps, channels = context.hcps_named("suppressions"), context.channel_codes(table["channel"])
    first, last = context.span(table["valid_from"], table["valid_to"])
    # a row names one HCP and one channel: what names nobody suppresses nothing
    live = (first <= last) & (hcps >= 0) & (channels >= 0)
    pairs, rows = context.expand(np.where(live, hcps, -1), channels)
    free = ~np.isin(pairs, _pinned(context))
    pairs, rows = pairs[free], rows[free]
    details = worded(_detail, table["reason"], table["created_by"], table["valid_to"])
    return RuleYield(blocks=[context.block("override", pairs, first[rows], last[rows], details.at(rows))])


def _pinned(context: Context) -> np.ndarray:
    """The pairs of live pins."""
    table = context.tables["rule_override"]
    first, last = context.span(table["valid_from"], table["valid_to"])
    live = (first <= last) & table["action"].equal("pin")
    return context.expand(np.where(live, context.hcps_named("rule_override"), -1), context.channel_codes(table["channel"]))[0]


def _detail(reason: str | None, created_by: str | None, valid_to: np.datetime64) -> str:
    text = "dismissed" if created_by is None else f"dismissed by {created_by}"
    text += "" if reason is None else f" ({reason})"
    return text if np.isnat(valid_to) else f"{text}: not suggested again up to {valid_to}"
