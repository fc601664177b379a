"""A manager's forbid keeps a pair out of the plan on its days; a pin puts it in, on one of its days.

Table rule_override: forbid blocks the days of its validity (null hcp_id or channel = all). A pin whose validity touches the
cycle forces its pair and blocks the days outside the validity; a pin outside the cycle says nothing. A pin on a pair that
other rules block stays a pin: the diagnosis reports the conflict.
"""

from __future__ import annotations

import numpy as np

from optimization.problem import Block, PlanInputError, RuleYield
from optimization.rules.context import Context, Texts, unknown_names, worded
from optimization.rules.tables import Table


def declare(context: Context) -> RuleYield:
    """Forbidden days, days outside a pin's validity, and the pins."""
    table = context.tables["rule_override"]
    _check(table)
    hcps, channels = context.hcps_named("rule_override"), context.channel_codes(table["channel"])
    warnings = unknown_names("rule_override", "hcp_id", table["hcp_id"], hcps)
    warnings += unknown_names("rule_override", "channel", table["channel"], channels)
    first, last = context.span(table["valid_from"], table["valid_to"])
    live = first <= last
    forbids = table["action"].equal("forbid")
    details = worded(_detail, table["action"], table["reason"], table["created_by"])
    pairs, rows = context.expand(np.where(live & forbids, hcps, -1), channels)
    blocks = [context.block("override", pairs, first[rows], last[rows], details.at(rows))]
    pins, rows = context.expand(np.where(live & ~forbids, hcps, -1), channels)
    blocks += _outside(context, pins, first[rows], last[rows], details.at(rows))
    pinned = np.unique(pins)
    names = [divmod(int(pair), context.channel_count) for pair in pinned]
    labels = [f"pin of {context.hcp_ids[hcp]} on {context.labels[channel]}" for hcp, channel in names]
    return RuleYield(blocks=blocks, pins=pinned, pin_labels=labels, warnings=warnings)


def _check(table: Table) -> None:
    for row in range(table.rows):
        action = table["action"][row]
        if action not in ("pin", "forbid"):
            raise PlanInputError(f"rule_override.action: {action!r} is neither pin nor forbid")
        if action == "pin" and (table["hcp_id"][row] in (None, "*") or table["channel"][row] in (None, "*")):
            raise PlanInputError("rule_override: a pin must name one hcp_id and one channel")


def _outside(context: Context, pins: np.ndarray, first: np.ndarray, last: np.ndarray, details: Texts) -> list[Block]:
    return [
        context.block("override", pins, 0, first - 1, details),
        context.block("override", pins, last + 1, context.days - 1, details),
    ]


def _detail(action: str, reason: str | None, created_by: str | None) -> str:
    text = "forbidden" if action == "forbid" else "pinned to other days"
    text += "" if created_by is None else f" by {created_by}"
    return text if reason is None else f"{text}: {reason}"
