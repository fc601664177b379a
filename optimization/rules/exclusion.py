"""An excluded HCP, channel or pair is never planned on the days of the exclusion.

Table rule_exclusion: null hcp_id or channel = all; valid_from and valid_to are inclusive, null = open.
"""

from __future__ import annotations

import numpy as np

from optimization.problem import RuleYield
from optimization.rules.context import Context, unknown_names, worded


def declare(context: Context) -> RuleYield:
    """Blocked days of every excluded pair."""
    table = context.tables["rule_exclusion"]
    hcps, channels = context.hcps_named("rule_exclusion"), context.channel_codes(table["channel"])
    first, last = context.span(table["valid_from"], table["valid_to"])
    live = first <= last
    details = worded(_detail, table["reason"], table["valid_from"], table["valid_to"])
    pairs, rows = context.expand(np.where(live, hcps, -1), channels)
    warnings = unknown_names("rule_exclusion", "hcp_id", table["hcp_id"], hcps)
    warnings += unknown_names("rule_exclusion", "channel", table["channel"], channels)
    return RuleYield(blocks=[context.block("exclusion", pairs, first[rows], last[rows], details.at(rows))], warnings=warnings)


def _detail(reason: str | None, valid_from: np.datetime64, valid_to: np.datetime64) -> str:
    text = "excluded" if reason is None else f"excluded: {reason}"
    if not np.isnat(valid_from):
        text += f", from {valid_from}"
    return text if np.isnat(valid_to) else f"{text}, until {valid_to}"
