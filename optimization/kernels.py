"""Loops over HCPs and their sets, compiled: values, best sets at prices, sets near the best, best sets with a pair forced in.

Every function works on a range of HCPs and writes only to their rows, so any number of threads gives the same numbers
(`in_parts` cuts the ranges). `sets` is `HcpSets.kernel`; `terms` is `Pricing.terms`: cost (profiles, features), profile (hcps),
flag_start and flag (the features beyond channels that each kind touches), and the length of the longest list of sets.
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
def set_value(sets, hcp, kind):  # type: ignore[no-untyped-def]
    """V(S) of one HCP and kind (contract section 4), with the bonus of channels touched at all."""
    values, bonus, overlap, _, _, _, item_start, item_channel, item_touches = sets
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
def _column_values(sets, hcp, kind, out):  # type: ignore[no-untyped-def]
    for i in range(len(hcp)):
        out[i] = set_value(sets, hcp[i], kind[i])


def column_values(sets: tuple, hcp: np.ndarray, kind: np.ndarray) -> np.ndarray:
    """V(S) of columns given as (hcp, kind)."""
    out = np.empty(len(hcp))
    _column_values(sets, hcp, kind, out)
    return out


@compiled
def fill_priced(sets, terms, hcp, net, out):  # type: ignore[no-untyped-def]
    """Priced value of every set of one HCP into `out`; `net`: scratch (channels)."""
    values, bonus, overlap, list_of, list_start, list_kind, item_start, item_channel, item_touches = sets
    cost, profile, flag_start, flag, _ = terms
    channels, which, mine = values.shape[1], list_of[hcp], profile[hcp]
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
def best_sets(sets, terms, first, last, best, place):  # type: ignore[no-untyped-def]
    """Best priced value of each HCP and the first set reaching it (its place in the HCP's list)."""
    list_of, list_start = sets[3], sets[4]
    net, out = np.empty(sets[0].shape[1]), np.empty(terms[4])
    for h in range(first, last):
        which = list_of[h]
        fill_priced(sets, terms, h, net, out)
        top = -np.inf
        at = 0
        for p in range(list_start[which + 1] - list_start[which]):
            if out[p] > top:
                top = out[p]
                at = p
        best[h] = top
        place[h] = at


@compiled
def count_sets(sets, terms, first, last, threshold, counts):  # type: ignore[no-untyped-def]
    """counts[h] = sets of HCP h with a priced value of at least threshold[h]; the largest priced value below its threshold, less it."""
    list_of, list_start = sets[3], sets[4]
    net, out = np.empty(sets[0].shape[1]), np.empty(terms[4])
    below = -np.inf
    for h in range(first, last):
        which = list_of[h]
        fill_priced(sets, terms, h, net, out)
        found = 0
        for p in range(list_start[which + 1] - list_start[which]):
            if out[p] >= threshold[h]:
                found += 1
            elif out[p] - threshold[h] > below:
                below = out[p] - threshold[h]
        counts[h] = found
    return below


@compiled
def take_sets(sets, terms, first, last, threshold, edge, place, priced):  # type: ignore[no-untyped-def]
    """The sets counted by `count_sets`: their place in the HCP's list and their priced value, from edge[h] on."""
    list_of, list_start = sets[3], sets[4]
    net, out = np.empty(sets[0].shape[1]), np.empty(terms[4])
    for h in range(first, last):
        if edge[h + 1] == edge[h]:
            continue
        which = list_of[h]
        fill_priced(sets, terms, h, net, out)
        at = edge[h]
        for p in range(list_start[which + 1] - list_start[which]):
            if out[p] >= threshold[h]:
                place[at] = p
                priced[at] = out[p]
                at += 1


@compiled
def shortfall_counts(sets, terms, first, last, stride, best, edges, counts):  # type: ignore[no-untyped-def]
    """counts[i] += sets of every stride-th HCP that fall short of its best by (edges[i-1], edges[i]]; the last entry takes the rest."""
    list_of, list_start = sets[3], sets[4]
    net, out = np.empty(sets[0].shape[1]), np.empty(terms[4])
    for h in range(first + (-first) % stride, last, stride):
        which = list_of[h]
        fill_priced(sets, terms, h, net, out)
        for p in range(list_start[which + 1] - list_start[which]):
            counts[np.searchsorted(edges, best[h] - out[p])] += 1


@compiled
def forced_sets(sets, terms, first, last, forced):  # type: ignore[no-untyped-def]
    """forced[h, c] = best priced value among the sets of HCP h that touch channel c, -inf where none does."""
    _, _, _, list_of, list_start, list_kind, item_start, item_channel, _ = sets
    net, out = np.empty(sets[0].shape[1]), np.empty(terms[4])
    for h in range(first, last):
        which = list_of[h]
        fill_priced(sets, terms, h, net, out)
        for p in range(list_start[which + 1] - list_start[which]):
            kind = list_kind[list_start[which] + p]
            for i in range(item_start[kind], item_start[kind + 1]):
                c = item_channel[i]
                if out[p] > forced[h, c]:
                    forced[h, c] = out[p]


@compiled
def count_features(sets, flag_start, flag, profile, hcp, place, counts):  # type: ignore[no-untyped-def]
    """counts[profile, feature] += what the given sets touch; whole numbers, so that order does not matter."""
    values, _, _, list_of, list_start, list_kind, item_start, item_channel, item_touches = sets
    channels = values.shape[1]
    for i in range(len(hcp)):
        h = hcp[i]
        kind = list_kind[list_start[list_of[h]] + place[i]]
        row = profile[h]
        for j in range(item_start[kind], item_start[kind + 1]):
            counts[row, item_channel[j]] += item_touches[j]
        for j in range(flag_start[kind], flag_start[kind + 1]):
            counts[row, channels + flag[j]] += 1.0
