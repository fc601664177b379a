"""An HCP gets at most so many touches, on a channel or on all together, in the cycle or in any window of days.

Table rule_contact_limit: channel null = all together, `*` = each alone; attribute and value choose the HCPs (null = all).
Rows of the same channel and window act together: for each HCP the smallest max_actions among those that name them.
Without window_days: a cap on the planned touches (0 blocks the pair). With window_days: known touches count, those of history on the
last day of their period and those of published actions not yet in history (one each where their number is not given) on their
latest_date. Day d is blocked when the touches known after d - window_days, plus one, exceed max_actions; and the planned touches
together may not exceed max_actions less the touches still inside the window on the first eligible day of the HCP's pairs. That counts
the whole cycle as one window: every date inside the published runs is safe, at the price of being careful when the window is shorter
than the cycle. The catalogue's max_touches below 1 closes a channel.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from optimization.problem import Block, HcpCap, RuleYield
from optimization.rules.context import Context, unknown_names, worded
from optimization.rules.scopes import matching_hcps

UNLIMITED = np.iinfo(np.int64).max // 4


@dataclass(frozen=True)
class Cap:
    """One channel scope and window: the most touches of each HCP (UNLIMITED where no row names them)."""

    channel: str | None
    codes: np.ndarray
    window: int | None
    most: np.ndarray

    def label(self, context: Context) -> str:
        text = "contact limit" if self.channel is None else f"contact limit of {context.label_of(self.channel)}"
        return text if self.window is None else f"{text} in {self.window} days"


@dataclass(frozen=True)
class KnownTouches:
    """Touches before the plan by HCP and, within an HCP, newest first; day < 0 is before the cycle; running adds them up."""

    hcps: np.ndarray
    days: np.ndarray
    running: np.ndarray


def declare_days(context: Context) -> RuleYield:
    """Days on which one more touch would be too many, given the touches already known."""
    table = context.tables["rule_contact_limit"]
    blocks = [_closed_channels(context)]
    for cap in _caps(context):
        if cap.window is None:
            hcps, last = np.flatnonzero(cap.most <= 0), np.full(int((cap.most <= 0).sum()), context.days - 1)
        else:
            hcps, last = _crowded(context, cap)
        pairs = context.pairs(hcps, cap.codes)
        most, label = np.repeat(cap.most[hcps], len(cap.codes)), cap.label(context)
        details = worded(lambda number, label=label: f"{label}: {number} already used" if number else f"{label}: none allowed", most)
        blocks.append(context.block("contact_limit", pairs, 0, np.repeat(last, len(cap.codes)), details))
    codes = context.channel_codes(table["channel"])
    return RuleYield(blocks=blocks, warnings=unknown_names("rule_contact_limit", "channel", table["channel"], codes))


def declare_rows(context: Context) -> RuleYield:
    """Caps on the planned touches of each HCP; a cap that the HCP's eligible pairs cannot reach is left out."""
    caps = []
    for cap in _caps(context):
        is_open = context.open_pairs[:, cap.codes] & (cap.most < UNLIMITED)[:, None]
        size = is_open @ context.most_touches[cap.codes]
        upper = cap.most - _inside_window(context, cap, is_open)
        binding = np.flatnonzero((size > 0) & (upper < size))
        if len(binding):
            group, code = np.nonzero(is_open[binding])
            pairs = binding[group] * context.channel_count + cap.codes[code]
            room = np.maximum(upper[binding], 0)
            caps.append(HcpCap("contact_limit", cap.label(context), pairs.astype(np.int32), group.astype(np.int32), room))
    return RuleYield(caps=caps)


def _caps(context: Context) -> Iterator[Cap]:
    table = context.tables["rule_contact_limit"]
    rows = np.flatnonzero(~np.isnan(table["max_actions"]))
    scopes: dict[tuple[str | None, float], list[int]] = {}
    for row in rows:
        window = table["window_days"][row]
        for name, _ in context.channel_scopes(table["channel"][row]):
            scopes.setdefault((name, -1.0 if np.isnan(window) else float(np.ceil(window))), []).append(int(row))
    for (name, window), members in scopes.items():
        most = _most(context, members)
        codes = context.channel_scopes(name)[0][1]
        yield Cap(name, codes, None if window < 0 else int(window), most)


def _most(context: Context, rows: list[int]) -> np.ndarray:
    """The smallest max_actions of each HCP among these rows, whole touches."""
    table = context.tables["rule_contact_limit"]
    most = np.full(context.hcp_count, UNLIMITED)
    for row in rows:
        named = matching_hcps(context, "rule_contact_limit", table["attribute"][row], "=", table["value"][row])
        most[named] = np.minimum(most[named], int(np.floor(table["max_actions"][row] * (1 + 1e-6))))
    return most


def _known_touches(context: Context, cap: Cap) -> KnownTouches:
    """Touches of the cap's channels that a window reaching into the cycle can still hold."""
    found = []
    for name, column in (("touch_days", "touch_date"), ("prior_actions", "latest_date")):
        table = context.tables[name]
        hcps, days = context.hcps_named(name), context.cycle_day(table[column], -UNLIMITED)
        keep = (hcps >= 0) & (days > -(cap.window or 0))
        count = table["touches"]
        if name == "touch_days":
            keep &= (days < 0) & (count > 0)
        else:
            count = np.where(np.isnan(count), 1.0, count)
        if cap.channel is not None:
            keep &= table["channel"].equal(cap.channel)
        found.append((hcps[keep], days[keep], count[keep]))
    hcps, days, count = (np.concatenate(part) for part in zip(*found, strict=True))
    order = np.lexsort((-days, hcps))
    hcps, days, count = hcps[order], days[order], np.cumsum(count[order])
    opens = np.r_[True, hcps[1:] != hcps[:-1]] if len(hcps) else np.empty(0, dtype=bool)
    base = np.where(opens, np.r_[0.0, count[:-1]], 0.0) if len(hcps) else count
    return KnownTouches(hcps, days, count - np.maximum.accumulate(base) if len(hcps) else count)


def _crowded(context: Context, cap: Cap) -> tuple[np.ndarray, np.ndarray]:
    """HCPs already at their limit and the last cycle day on which they still are."""
    known = _known_touches(context, cap)
    full = np.flatnonzero(known.running >= cap.most[known.hcps])
    first = full[np.r_[True, known.hcps[full][1:] != known.hcps[full][:-1]]] if len(full) else full
    # The touch that fills the limit leaves the window on its day + window: the days before that are blocked.
    last = np.full(context.hcp_count, -1)
    last[known.hcps[first]] = np.minimum(known.days[first] + (cap.window or 0) - 1, context.days - 1)
    last[cap.most <= 0] = context.days - 1
    hcps = np.flatnonzero(last >= 0)
    return hcps, last[hcps]


def _inside_window(context: Context, cap: Cap, is_open: np.ndarray) -> np.ndarray:
    """Known touches of each HCP still inside the window on the first eligible day of its open pairs (HCPs, channels) in this scope."""
    used = np.zeros(context.hcp_count, dtype=np.int64)
    if cap.window is None:
        return used
    assert context.runs is not None
    earliest = context.runs.earliest.reshape(-1, context.channel_count)[:, cap.codes]
    first_day = np.where(is_open, earliest, context.days).min(axis=1, initial=context.days)
    known = _known_touches(context, cap)
    inside = known.days > first_day[known.hcps] - cap.window
    np.maximum.at(used, known.hcps[inside], known.running[inside].astype(np.int64))
    return used


def _closed_channels(context: Context) -> Block:
    closed = np.flatnonzero(context.most_touches < 1)
    pairs = context.pairs(context.everyone, closed)
    return context.block("contact_limit", pairs, 0, context.days - 1, "the catalogue allows no touch")
