"""A channel that has availability windows is open only inside them; a channel without any is always open.

Table rule_channel_window: rows of a channel whose territory matches (null = everywhere, `*` = in any territory) are a union;
a channel that has rows only for other territories is closed. Both dates are inclusive, null = open.
"""

from __future__ import annotations

import numpy as np

from optimization.problem import Block, RuleYield
from optimization.rules.context import ALL, UNKNOWN, Context, unknown_names


def declare(context: Context) -> RuleYield:
    """Days outside every matching window, per channel and territory, for all HCPs there."""
    table = context.tables["rule_channel_window"]
    channels = context.channel_codes(table["channel"])
    warnings = unknown_names("rule_channel_window", "channel", table["channel"], channels)
    first, last = context.span(table["available_from"], table["available_to"])
    somewhere = len(context.territory_names)  # last place: HCPs without a territory
    open_days = np.zeros((context.channel_count, somewhere + 1, context.days), dtype=bool)
    ruled = np.zeros(context.channel_count, dtype=bool)
    for row in np.flatnonzero(channels != UNKNOWN):
        reach = slice(None) if channels[row] == ALL else channels[row]
        ruled[reach] = True
        if first[row] <= last[row]:
            open_days[reach, _places(context, table["territory_id"][row]), first[row] : last[row] + 1] = True
    blocks = [block for code in np.flatnonzero(ruled) for block in _closed(context, int(code), ~open_days[code])]
    return RuleYield(blocks=blocks, warnings=warnings)


def _places(context: Context, territory: str | None) -> slice:
    """The territory places that a row reaches; HCPs without a territory sit in the last one."""
    everywhere = len(context.territory_names)
    if territory is None:
        return slice(0, everywhere + 1)
    if territory == "*":
        return slice(0, everywhere)
    place = context.territory_place.get(territory, everywhere + 1)
    return slice(place, place + 1)


def _closed(context: Context, channel: int, closed: np.ndarray) -> list[Block]:
    """One block per closed stretch and distinct calendar; closed is (territory places, days)."""
    everywhere = len(context.territory_names)
    place_of = np.where(context.territory < 0, everywhere, context.territory)
    calendars, calendar_of = np.unique(closed, axis=0, return_inverse=True)
    held = calendar_of.ravel()[place_of]
    blocks = []
    for place, calendar in enumerate(calendars):
        edges = np.diff(np.r_[0, calendar.astype(np.int8), 0])
        pairs = np.flatnonzero(held == place) * context.channel_count + channel
        for first, end in zip(np.flatnonzero(edges == 1), np.flatnonzero(edges == -1), strict=True):
            blocks.append(context.block("window", pairs, first, end - 1, _detail(context, channel, first, end - 1)))
    return blocks


def _detail(context: Context, channel: int, first: int, last: int) -> str:
    label = context.labels[channel]
    if first == 0 and last == context.days - 1:
        return f"{label} is not available in this cycle"
    if first == 0:
        return f"{label} is not available before {context.date_of(last + 1)}"
    if last == context.days - 1:
        return f"{label} is not available after {context.date_of(first - 1)}"
    return f"{label} is not available from {context.date_of(first)} to {context.date_of(last)}"
