"""After a touch of one channel, a number of days must pass before an action of another (or the same) channel.

Table rule_min_gap: directed, last_channel -> channel, null = any; of several rows for the same two channels the longest holds.
History: an action day d is allowed iff d - last touch >= min_days, for every channel touched before. The last touch is the
last day of the latest known period with touches, or the latest_date of a published action that history does not cover yet.
Within the plan: touches of one HCP, of one channel or of several, may be planned together only if some order of dates inside their
eligible runs respects all gaps. A channel gets no more touches than its gap to itself leaves room for, channels that gaps link no more
than the smallest gap does; and every smallest number of touches without such an order becomes a row. Exact while the linked channels
have few orders (six channels of one touch, two of five touches, three of two); beyond that up to four touches or more are examined (see
`gap_sets.largest_examined`) and an HCP who could still get more on them gets no more, unless all fit: safe, though it may forbid a
larger set that would fit.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa

from optimization.problem import HcpCap, NotTogether, RuleYield
from optimization.rules.context import ALL, UNKNOWN, Context, codes_of, unknown_names, worded
from optimization.rules.gap_sets import largest_examined, most_together, room_alone, smallest_clashes, whole_fits

HISTORY = ("touch_days", "history", "prior_actions")


def declare_days(context: Context) -> RuleYield:
    """Days too close to the last touch of some channel."""
    table = context.tables["rule_min_gap"]
    warnings = unknown_names("rule_min_gap", "channel", table["channel"], context.channel_codes(table["channel"]))
    if not np.any(table["min_days"] > 0):
        return RuleYield(warnings=warnings)
    names = sorted({name for table in HISTORY for name in context.tables[table]["channel"].distinct.to_pylist()})
    gaps = _gap_days(context, names)
    hcps, touched, day = _last_touches(context, names, int(gaps.max(initial=0)))
    blocks = []
    for channel in range(context.channel_count):
        free_from = np.where(gaps[touched, channel] > 0, day + gaps[touched, channel], 0)
        hit = np.flatnonzero(free_from > 0)
        order = hit[np.lexsort((touched[hit], -free_from[hit], hcps[hit]))]
        worst = order[np.append(True, hcps[order][1:] != hcps[order][:-1])[: len(order)]]
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
    """Touches of one HCP that no order of dates can keep apart, and the most touches that the gaps leave room for."""
    gaps = np.minimum(_gap_days(context, context.channels), context.days)  # no two days of a cycle are further apart
    caps = [cap for code in np.flatnonzero(np.diag(gaps)) for cap in _own_room(context, int(code), int(gaps[code, code]))]
    exclusive: list[NotTogether] = []
    for linked in _linked(gaps):
        rows = _together(context, linked, gaps[np.ix_(linked, linked)])
        exclusive, caps = exclusive + rows.exclusive, caps + rows.caps
    return RuleYield(exclusive=exclusive, caps=caps)


def _own_room(context: Context, code: int, gap: int) -> list[HcpCap]:
    """The most touches of one channel, for HCPs whose run holds fewer than the catalogue allows."""
    assert context.runs is not None
    early, late = (run[code :: context.channel_count].astype(np.int64) for run in (context.runs.earliest, context.runs.latest))
    room = (late - early) // gap + 1
    hcps = np.flatnonzero((early >= 0) & (room < context.most_touches[code]))
    if len(hcps) == 0:
        return []
    pairs = hcps * context.channel_count + code
    return [HcpCap("min_gap", f"gap of {context.labels[code]} to itself", pairs, np.arange(len(hcps)), room[hcps])]


def _linked(gaps: np.ndarray) -> list[np.ndarray]:
    """Groups of two channels or more that gaps link, directly or through others."""
    group = np.arange(len(gaps))
    for one, other in np.argwhere(gaps > 0):
        group[group == group[one]] = group[other]
    members = [np.flatnonzero(group == code) for code in range(len(gaps))]
    return [found for found in members if len(found) > 1]


def _together(context: Context, linked: np.ndarray, gaps: np.ndarray) -> RuleYield:
    """Rows and caps of one group of linked channels."""
    signature, early, late = _signatures(context, linked)
    allowed = context.most_touches[linked]
    room = room_alone(early, late, gaps, allowed)
    tight = np.flatnonzero(~whole_fits(early, late, gaps, room))
    early, late, room = early[tight], late[tight], room[tight]
    several_a_day = np.any((np.diag(gaps) == 0) & (allowed > 1))  # one touch stands for more of them: touches cannot be capped
    most = room.sum(axis=1) if several_a_day else most_together(early, late, gaps, room)
    largest = largest_examined(room.max(axis=0, initial=0))
    clashes, larger = smallest_clashes(early, late, gaps, room, most, largest)
    most = np.where(larger, largest, most)
    exclusive = [_rows(context, _holders(signature, tight[bad]), linked, touches) for touches, bad in clashes.items()]
    binding = larger | (most < room.sum(axis=1))
    return RuleYield(exclusive=exclusive, caps=_cap(context, signature, tight[binding], most[binding], linked))


def _last_touches(context: Context, names: list[str], reach: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Latest touch per HCP and channel, as far back as the longest gap reaches: HCP, place in names, cycle day (< 0 before the cycle)."""
    known, found = pa.array(names, pa.string()), []
    for name, column in zip(HISTORY, ("touch_date", "last_touch_date", "latest_date"), strict=True):
        table, day = context.tables[name], context.cycle_day(context.tables[name][column], -reach)
        keep = day + reach > 0
        if name == "touch_days":
            keep &= (table["touches"] > 0) & (day < 0)
        hcps, channels = context.hcps_named(name)[keep], table["channel"].places(known, UNKNOWN, UNKNOWN)[keep]
        keys = hcps.astype(np.int64) * len(names) + channels
        found.append((keys[(hcps >= 0) & (channels >= 0)], day[keep][(hcps >= 0) & (channels >= 0)]))
    keys, place = np.unique(np.concatenate([keys for keys, _ in found]), return_inverse=True)
    last = np.full(len(keys), -reach)
    np.maximum.at(last, place, np.concatenate([day for _, day in found]))
    return *np.divmod(keys, max(len(names), 1)), last


def _gap_days(context: Context, last_channels: list[str]) -> np.ndarray:
    """Longest gap in days by last channel and channel, 0 = none."""
    table = context.tables["rule_min_gap"]
    before = codes_of(table["last_channel"], pa.array(last_channels, pa.string()))
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


def _holders(signature: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """HCPs who have one of these signatures."""
    hits = np.zeros(int(signature.max()) + 1, dtype=bool)
    hits[wanted] = True
    return np.flatnonzero(hits[signature])


def _rows(context: Context, hcps: np.ndarray, linked: np.ndarray, touches: tuple[int, ...]) -> NotTogether:
    """These HCPs may not get so many touches per linked channel."""
    held = [(int(code), count) for code, count in zip(linked, touches, strict=True) if count]
    names = [context.labels[code] if count == 1 else f"{count} touches of {context.labels[code]}" for code, count in held]
    label = f"gap between {', '.join(names[:-1])} and {names[-1]}"
    least = tuple(count for _, count in held)
    members = hcps[:, None] * context.channel_count + np.array([code for code, _ in held])
    return NotTogether("min_gap", label, members, None if set(least) == {1} else least)


def _cap(context: Context, signature: np.ndarray, bound: np.ndarray, most: np.ndarray, linked: np.ndarray) -> list[HcpCap]:
    """At most `most` touches on the linked channels, for the HCPs of the signatures `bound`."""
    if len(bound) == 0:
        return []
    upper = np.zeros(int(signature.max()) + 1, dtype=np.int64)
    upper[bound] = most
    hcps = _holders(signature, bound)
    pairs = context.eligible_pairs(hcps, linked)
    group = np.searchsorted(hcps, pairs // context.channel_count)
    return [HcpCap("min_gap", "room that gaps leave", pairs, group, upper[signature[hcps]])]
