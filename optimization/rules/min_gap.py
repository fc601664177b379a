"""After a touch of one channel, a number of days must pass before an action of another (or the same) channel.

Table rule_min_gap: directed, last_channel -> channel, null = any; of several rows for the same two channels the longest holds.
History: an action day d is allowed iff d - last touch >= min_days, for every channel touched before. The last touch is the
last day of the latest known period with touches, or the latest_date of a published action that history does not cover yet.
Within the plan: actions of one HCP may be planned together only if some order of dates inside their eligible runs respects
all gaps. Every smallest set without such an order becomes a row: exactly while gaps link up to six channels. With more of
them sets of up to four are examined, and an HCP who could still choose a larger one gets at most four actions on them unless
all fit: safe, though it may forbid a larger set that would fit.
"""

from __future__ import annotations

from itertools import combinations, permutations

import numpy as np
import pandas as pd

from optimization.problem import HcpCap, NotTogether, RuleYield
from optimization.rules.context import ALL, UNKNOWN, Context, codes_of, unknown_names, worded

LINKED_EXACT = 6  # channels linked by gaps up to which every set is examined
LARGEST_SET = 4  # largest set examined beyond that
NO_DAY = np.iinfo(np.int64).min // 4


def declare_days(context: Context) -> RuleYield:
    """Days too close to the last touch of some channel."""
    table = context.tables["rule_min_gap"]
    warnings = unknown_names("rule_min_gap", "channel", table["channel"], context.channel_codes(table["channel"]))
    if not np.any(table["min_days"] > 0):
        return RuleYield(warnings=warnings)
    hcps, touched, day, names = _last_touches(context)
    gaps = _gap_days(context, names)
    blocks = []
    for channel in range(context.channel_count):
        free_from = np.where(gaps[touched, channel] > 0, day + gaps[touched, channel], 0)
        hit = np.flatnonzero(free_from > 0)
        order = hit[np.lexsort((touched[hit], -free_from[hit], hcps[hit]))]
        worst = order[np.r_[True, hcps[order][1:] != hcps[order][:-1]]] if len(order) else order
        details = worded(
            lambda code, at, wait: f"last {context.label_of(names[code])} on {context.date_of(at)}, {wait} days must pass",
            touched[worst],
            day[worst],
            gaps[touched[worst], channel],
        )
        pairs = hcps[worst] * context.channel_count + channel
        blocks.append(context.block("min_gap", pairs, 0, free_from[worst] - 1, details))
    return RuleYield(blocks=blocks, warnings=warnings)


def declare_rows(context: Context) -> RuleYield:
    """Sets of actions of one HCP that no order of dates can keep apart."""
    gaps = _gap_days(context, context.channels)
    # A touch of the same channel twice is not planned, so a channel's gap to itself concerns history only.
    between = np.maximum(gaps, gaps.T) * ~np.eye(context.channel_count, dtype=bool)
    linked = np.flatnonzero(between.any(axis=1))
    if len(linked) == 0:
        return RuleYield()
    signature, early, late = _signatures(context, linked)
    gaps = gaps[np.ix_(linked, linked)]
    # A calendar whose whole set fits needs nothing: any subset then fits too.
    tight = np.flatnonzero(~_fits_whole(early, late, gaps))
    exclusive = []
    clash: dict[tuple[int, ...], np.ndarray] = {}
    largest = len(linked) if len(linked) <= LINKED_EXACT else LARGEST_SET
    for size in range(2, largest + 1):
        for chosen in combinations(range(len(linked)), size):
            bad = _smallest_clash(early[tight], late[tight], gaps, chosen, clash)
            if bad.any():
                clash[chosen] = bad
                exclusive.append(_rows(context, _holders(signature, tight[bad]), linked[list(chosen)]))
    return RuleYield(exclusive=exclusive, caps=_beyond(context, signature, early, tight, linked, clash))


def _last_touches(context: Context) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[str]]:
    """Latest touch per HCP and channel (HCP code, channel place, cycle day, names of the places; days before the cycle are < 0)."""
    touches, history, prior = (context.tables[name] for name in ("touch_days", "history", "prior_actions"))
    touches = touches.where((touches["touches"] > 0) & (touches["touch_date"] < np.datetime64(context.settings.cycle_start, "D")))
    hcps = context.hcp_codes(np.concatenate([touches["hcp_id"], history["hcp_id"], prior["hcp_id"]]))
    channel, names = pd.factorize(np.concatenate([touches["channel"], history["channel"], prior["channel"]]))
    dates = np.concatenate([touches["touch_date"], history["last_touch_date"], prior["latest_date"]])
    keep = (hcps >= 0) & (channel >= 0) & ~np.isnat(dates)
    key, place = np.unique(hcps[keep] * max(len(names), 1) + channel[keep], return_inverse=True)
    day = np.full(len(key), NO_DAY)
    np.maximum.at(day, place, context.cycle_day(dates[keep], NO_DAY))
    return key // max(len(names), 1), key % max(len(names), 1), day, list(names)


def _gap_days(context: Context, last_channels: list[str]) -> np.ndarray:
    """Longest gap in days by last channel and channel, 0 = none."""
    table = context.tables["rule_min_gap"]
    before = codes_of(table["last_channel"], pd.Index(last_channels, dtype=object))
    after = context.channel_codes(table["channel"])
    gaps = np.zeros((len(last_channels), context.channel_count), dtype=np.int64)
    for row in np.flatnonzero((before != UNKNOWN) & (after != UNKNOWN) & (table["min_days"] > 0)):
        reach = np.ix_(
            np.arange(len(last_channels)) if before[row] == ALL else [before[row]],
            np.arange(context.channel_count) if after[row] == ALL else [after[row]],
        )
        gaps[reach] = np.maximum(gaps[reach], int(np.ceil(table["min_days"][row])))
    return gaps


def _signatures(context: Context, linked: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """HCPs that share a calendar share the answer: signature of each HCP, and the run of each linked channel per signature."""
    assert context.runs is not None
    early = context.runs.earliest.reshape(-1, context.channel_count)[:, linked].astype(np.int64)
    late = context.runs.latest.reshape(-1, context.channel_count)[:, linked].astype(np.int64)
    code = np.zeros(context.hcp_count, dtype=np.int64)
    for place in range(len(linked)):
        run = (early[:, place] + 1) * (context.days + 1) + late[:, place] + 1
        code = pd.factorize(code * (context.days + 1) ** 2 + run)[0].astype(np.int64)
    _, example = np.unique(code, return_index=True)
    return code, early[example], late[example]


def _fits_whole(early: np.ndarray, late: np.ndarray, gaps: np.ndarray) -> np.ndarray:
    """Signatures whose whole set of eligible channels surely fits: the first-come and the first-due order are tried."""
    present = early >= 0
    fits = np.zeros(len(early), dtype=bool)
    for key in (early, late):
        order = np.argsort(np.where(present, key, np.iinfo(np.int64).max), axis=1, kind="stable")
        fits |= _fits_in_order(early, late, gaps, order, present)
    return fits


def _fits_in_order(early: np.ndarray, late: np.ndarray, gaps: np.ndarray, order: np.ndarray, present: np.ndarray) -> np.ndarray:
    """Whether, acting as early as possible in this order (one row of channel places per signature), every run is met."""
    rows = np.arange(len(early))
    fits = np.ones(len(early), dtype=bool)
    day = np.zeros_like(early)
    for step in range(order.shape[1]):
        current = order[:, step]
        earliest = early[rows, current]
        for previous in range(step):
            wait = gaps[order[:, previous], current]
            earliest = np.maximum(earliest, np.where(present[rows, order[:, previous]], day[:, previous] + wait, 0))
        day[:, step] = earliest
        fits &= ~present[rows, current] | (earliest <= late[rows, current])
    return fits


def _smallest_clash(
    early: np.ndarray, late: np.ndarray, gaps: np.ndarray, chosen: tuple[int, ...], known: dict[tuple[int, ...], np.ndarray]
) -> np.ndarray:
    """Signatures where these channels are all eligible, fit in no order, and no smaller set of them is already known to clash."""
    open_rows = (early[:, chosen] >= 0).all(axis=1)
    for size in range(2, len(chosen)):
        for part in combinations(chosen, size):
            if part in known:
                open_rows &= ~known[part]
    rows = np.flatnonzero(open_rows)
    for order in permutations(chosen):
        if len(rows) == 0:
            break
        places = np.broadcast_to(np.array(order), (len(rows), len(order)))
        rows = rows[~_fits_in_order(early[rows], late[rows], gaps, places, early[rows] >= 0)]
    bad = np.zeros(len(early), dtype=bool)
    bad[rows] = True
    return bad


def _holders(signature: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """HCPs who have one of these signatures."""
    hits = np.zeros(int(signature.max()) + 1, dtype=bool)
    hits[wanted] = True
    return np.flatnonzero(hits[signature])


def _rows(context: Context, hcps: np.ndarray, channels: np.ndarray) -> NotTogether:
    names = [context.labels[code] for code in channels]
    label = f"gap between {', '.join(names[:-1])} and {names[-1]}"
    return NotTogether("min_gap", label, hcps[:, None] * context.channel_count + channels)


def _beyond(
    context: Context,
    signature: np.ndarray,
    early: np.ndarray,
    tight: np.ndarray,
    linked: np.ndarray,
    clash: dict[tuple[int, ...], np.ndarray],
) -> list[HcpCap]:
    """A cap of LARGEST_SET for HCPs who could still choose more channels than were examined together."""
    if len(linked) <= LINKED_EXACT or len(tight) == 0:
        return []
    larger = np.zeros(len(tight), dtype=bool)
    for chosen in combinations(range(len(linked)), LARGEST_SET + 1):
        free = (early[tight][:, chosen] >= 0).all(axis=1)
        for part, bad in clash.items():
            if set(part) <= set(chosen):
                free &= ~bad
        larger |= free
    hcps = _holders(signature, tight[larger])
    if len(hcps) == 0:
        return []
    pairs = context.eligible_pairs(hcps, linked)
    group = pd.factorize(pairs // context.channel_count)[0].astype(np.int64)
    return [HcpCap("min_gap", f"gaps leave room for {LARGEST_SET} actions", pairs, group, np.full(len(hcps), LARGEST_SET))]
