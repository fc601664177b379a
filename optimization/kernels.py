"""Loops over HCPs and their sets, compiled: values, best sets at prices, sets near the best, best sets with a pair forced in.

Every function works on a range of HCPs and writes only to their rows, so any number of threads gives the same numbers
(`in_parts` cuts the ranges). The first arguments are `HcpSets.kernel`, then what features cost: cost (profiles, features), profile
(hcps), flag_start and flag: the features beyond channels that each kind touches.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numba import njit

FEWEST_PER_PART = 20_000  # HCPs below which a second thread costs more than it brings


def compiled(function: Callable[..., Any]) -> Any:
    """`function` compiled on first use, kept on disk where the package's place can be written."""
    try:
        return njit(cache=True, nogil=True, error_model="numpy")(function)
    except RuntimeError:  # numba: "no locator available", for a package in a read-only place
        return njit(nogil=True, error_model="numpy")(function)


def in_parts(work: Callable[[int, int], Any], count: int, threads: int, fewest: int = FEWEST_PER_PART) -> list[Any]:
    """work(first, last) over equal ranges of 0..count, one per thread, results in order."""
    parts = max(1, min(threads, count // max(1, fewest)))
    edges = [count * i // parts for i in range(parts + 1)]
    if parts == 1:
        return [work(0, count)]
    with ThreadPoolExecutor(parts) as pool:
        return list(pool.map(work, edges[:-1], edges[1:]))


@compiled
def set_value(values, bonus, overlap, item_start, item_channel, item_touches, hcp, kind):  # type: ignore[no-untyped-def]
    """V(S) of one HCP and kind (contract section 4), with the bonus of channels touched at all."""
    total = 0.0
    lost = 0.0
    for i in range(item_start[kind], item_start[kind + 1]):
        t = item_touches[i]
        v = values[hcp, item_channel[i]]
        total += t * v
        if bonus.shape[0] > 0:
            total += bonus[hcp, item_channel[i]]
        if overlap > 0.0 and v > 0.0:
            lost += 0.5 * t * (t - 1.0) * v
            for j in range(item_start[kind], i):
                w = values[hcp, item_channel[j]]
                if w > 0.0:
                    lost += t * item_touches[j] * min(v, w)
    return total - overlap * lost


@compiled
def _column_values(values, bonus, overlap, list_of, list_start, list_kind, item_start, item_channel, item_touches, hcp, kind, out):  # type: ignore[no-untyped-def]
    for i in range(len(hcp)):
        out[i] = set_value(values, bonus, overlap, item_start, item_channel, item_touches, hcp[i], kind[i])


def column_values(*arguments: Any) -> np.ndarray:
    """V(S) of columns given as (hcp, kind)."""
    out = np.empty(len(arguments[-1]))
    _column_values(*arguments, out)
    return out


@compiled
def fill_priced(
    values,
    bonus,
    overlap,
    list_start,
    list_kind,
    item_start,
    item_channel,
    item_touches,
    cost,
    flag_start,
    flag,
    hcp,
    mine,
    which,
    net,
    out,
):  # type: ignore[no-untyped-def]
    """Priced value of every set of one HCP into `out`; `which`: its list, `mine`: its row of `cost`, `net`: scratch (channels)."""
    channels = values.shape[1]
    for c in range(channels):
        net[c] = values[hcp, c] - cost[mine, c]
    first = list_start[which]
    for place in range(list_start[which + 1] - first):
        kind = list_kind[first + place]
        total = 0.0
        lost = 0.0
        for i in range(item_start[kind], item_start[kind + 1]):
            c = item_channel[i]
            t = item_touches[i]
            total += t * net[c]
            if bonus.shape[0] > 0:
                total += bonus[hcp, c]
            if overlap > 0.0:
                v = values[hcp, c]
                if v > 0.0:
                    if t > 1.0:
                        lost += 0.5 * t * (t - 1.0) * v
                    for j in range(item_start[kind], i):
                        w = values[hcp, item_channel[j]]
                        if w > 0.0:
                            lost += t * item_touches[j] * min(v, w)
        for i in range(flag_start[kind], flag_start[kind + 1]):
            total -= cost[mine, channels + flag[i]]
        out[place] = total - overlap * lost


@compiled
def best_sets(
    values,
    bonus,
    overlap,
    list_of,
    list_start,
    list_kind,
    item_start,
    item_channel,
    item_touches,
    cost,
    profile,
    flag_start,
    flag,
    longest,
    first,
    last,
    best,
    place,
):  # type: ignore[no-untyped-def]
    """Best priced value of each HCP and the first set reaching it (its place in the HCP's list)."""
    net = np.empty(values.shape[1])
    out = np.empty(longest)
    for h in range(first, last):
        which = list_of[h]
        fill_priced(
            values,
            bonus,
            overlap,
            list_start,
            list_kind,
            item_start,
            item_channel,
            item_touches,
            cost,
            flag_start,
            flag,
            h,
            profile[h],
            which,
            net,
            out,
        )
        top = -np.inf
        at = 0
        for p in range(list_start[which + 1] - list_start[which]):
            if out[p] > top:
                top = out[p]
                at = p
        best[h] = top
        place[h] = at


@compiled
def count_sets(
    values,
    bonus,
    overlap,
    list_of,
    list_start,
    list_kind,
    item_start,
    item_channel,
    item_touches,
    cost,
    profile,
    flag_start,
    flag,
    longest,
    first,
    last,
    threshold,
    counts,
):  # type: ignore[no-untyped-def]
    """counts[h] = sets of HCP h with a priced value of at least threshold[h]; the largest priced value below its threshold, less it."""
    net = np.empty(values.shape[1])
    out = np.empty(longest)
    below = -np.inf
    for h in range(first, last):
        which = list_of[h]
        fill_priced(
            values,
            bonus,
            overlap,
            list_start,
            list_kind,
            item_start,
            item_channel,
            item_touches,
            cost,
            flag_start,
            flag,
            h,
            profile[h],
            which,
            net,
            out,
        )
        found = 0
        for p in range(list_start[which + 1] - list_start[which]):
            if out[p] >= threshold[h]:
                found += 1
            elif out[p] - threshold[h] > below:
                below = out[p] - threshold[h]
        counts[h] = found
    return below


@compiled
def take_sets(
    values,
    bonus,
    overlap,
    list_of,
    list_start,
    list_kind,
    item_start,
    item_channel,
    item_touches,
    cost,
    profile,
    flag_start,
    flag,
    longest,
    first,
    last,
    threshold,
    edge,
    place,
    priced,
):  # type: ignore[no-untyped-def]
    """The sets counted by `count_sets`: their place in the HCP's list and their priced value, from edge[h] on."""
    net = np.empty(values.shape[1])
    out = np.empty(longest)
    for h in range(first, last):
        if edge[h + 1] == edge[h]:
            continue
        which = list_of[h]
        fill_priced(
            values,
            bonus,
            overlap,
            list_start,
            list_kind,
            item_start,
            item_channel,
            item_touches,
            cost,
            flag_start,
            flag,
            h,
            profile[h],
            which,
            net,
            out,
        )
        at = edge[h]
        for p in range(list_start[which + 1] - list_start[which]):
            if out[p] >= threshold[h]:
                place[at] = p
                priced[at] = out[p]
                at += 1


@compiled
def shortfall_counts(
    values,
    bonus,
    overlap,
    list_of,
    list_start,
    list_kind,
    item_start,
    item_channel,
    item_touches,
    cost,
    profile,
    flag_start,
    flag,
    longest,
    first,
    last,
    best,
    edges,
    counts,
):  # type: ignore[no-untyped-def]
    """counts[i] += sets whose shortfall of the HCP's best lies in (edges[i-1], edges[i]]; the last entry takes the rest."""
    net = np.empty(values.shape[1])
    out = np.empty(longest)
    for h in range(first, last):
        which = list_of[h]
        fill_priced(
            values,
            bonus,
            overlap,
            list_start,
            list_kind,
            item_start,
            item_channel,
            item_touches,
            cost,
            flag_start,
            flag,
            h,
            profile[h],
            which,
            net,
            out,
        )
        for p in range(list_start[which + 1] - list_start[which]):
            counts[np.searchsorted(edges, best[h] - out[p])] += 1


@compiled
def forced_sets(
    values,
    bonus,
    overlap,
    list_of,
    list_start,
    list_kind,
    item_start,
    item_channel,
    item_touches,
    cost,
    profile,
    flag_start,
    flag,
    longest,
    first,
    last,
    forced,
):  # type: ignore[no-untyped-def]
    """forced[h, c] = best priced value among the sets of HCP h that touch channel c, -inf where none does."""
    net = np.empty(values.shape[1])
    out = np.empty(longest)
    for h in range(first, last):
        which = list_of[h]
        fill_priced(
            values,
            bonus,
            overlap,
            list_start,
            list_kind,
            item_start,
            item_channel,
            item_touches,
            cost,
            flag_start,
            flag,
            h,
            profile[h],
            which,
            net,
            out,
        )
        for p in range(list_start[which + 1] - list_start[which]):
            kind = list_kind[list_start[which] + p]
            for i in range(item_start[kind], item_start[kind + 1]):
                c = item_channel[i]
                if out[p] > forced[h, c]:
                    forced[h, c] = out[p]


@compiled
def count_features(
    list_of, list_start, list_kind, item_start, item_channel, item_touches, flag_start, flag, channels, profile, hcp, place, counts
):  # type: ignore[no-untyped-def]
    """counts[profile, feature] += what the given sets touch; whole numbers, so that order does not matter."""
    for i in range(len(hcp)):
        h = hcp[i]
        kind = list_kind[list_start[list_of[h]] + place[i]]
        row = profile[h]
        for j in range(item_start[kind], item_start[kind + 1]):
            counts[row, item_channel[j]] += item_touches[j]
        for j in range(flag_start[kind], flag_start[kind + 1]):
            counts[row, channels + flag[j]] += 1.0
