"""Which actions of one HCP can be put on dates that keep directed gaps: the question behind the rule min_gap.

A calendar is one row of runs: first and last allowed day per channel, -1 where the channel is closed. gaps[i, j] is the
number of days that must lie between an action on i and a later (or same-day) one on j. A set fits when some order of its
channels, each acting as early as it may, meets every run; acting early never hurts those that follow.
"""

from __future__ import annotations

from itertools import combinations, permutations

import numpy as np

EXACT_CHANNELS = 6  # up to here every set is examined
LARGEST_SET = 4  # largest set examined beyond that

Clashes = dict[tuple[int, ...], np.ndarray]


def most_actions(early: np.ndarray, late: np.ndarray, gaps: np.ndarray) -> np.ndarray:
    """Per calendar a number of actions that no fitting set exceeds: days between first and last, over the smallest gap, plus one."""
    present = early >= 0
    count = present.sum(axis=1)
    smallest = int(gaps[~np.eye(len(gaps), dtype=bool)].min())
    if smallest == 0:
        return count
    span = np.where(present, late, -1).max(axis=1) - np.where(present, early, np.iinfo(np.int64).max // 2).min(axis=1)
    return np.minimum(count, np.maximum(span, 0) // smallest + 1)


def whole_fits(early: np.ndarray, late: np.ndarray, gaps: np.ndarray) -> np.ndarray:
    """Calendars whose whole set of open channels surely fits (then any subset does): first-come and first-due order are tried."""
    present = early >= 0
    rows = np.arange(len(early))
    fits = np.zeros(len(early), dtype=bool)
    for key in (early, late):
        order = np.argsort(np.where(present, key, np.iinfo(np.int64).max), axis=1, kind="stable")
        in_order = np.ones(len(early), dtype=bool)
        day = np.zeros_like(early)
        for step in range(order.shape[1]):
            current = order[:, step]
            begins = early[rows, current]
            for before in range(step):
                wait = day[:, before] + gaps[order[:, before], current]
                begins = np.maximum(begins, np.where(present[rows, order[:, before]], wait, 0))
            day[:, step] = begins
            in_order &= ~present[rows, current] | (begins <= late[rows, current])
        fits |= in_order
    return fits


def smallest_clashes(early: np.ndarray, late: np.ndarray, gaps: np.ndarray, most: np.ndarray) -> Clashes:
    """Every smallest set of channels that does not fit, with the mask of the calendars where it does not.

    Sets larger than a calendar's `most` are left to a cap; with more than EXACT_CHANNELS channels so are those beyond LARGEST_SET.
    """
    width = early.shape[1]
    clashes: Clashes = {}
    columns = [(early[:, code].copy(), late[:, code].copy()) for code in range(width)]
    for size in range(2, (width if width <= EXACT_CHANNELS else LARGEST_SET) + 1):
        for chosen in combinations(range(width), size):
            candidates = most >= size
            for code in chosen:
                candidates &= columns[code][0] >= 0
            for part in _parts(chosen, clashes):
                candidates &= ~clashes[part]
            rows = np.flatnonzero(candidates)
            for order in permutations(chosen):
                if len(rows) == 0:
                    break
                rows = rows[~_fits([(first[rows], last[rows]) for first, last in (columns[code] for code in order)], gaps, order)]
            if len(rows):
                clashes[chosen] = np.bincount(rows, minlength=len(early)).astype(bool)
    return clashes


def larger_possible(early: np.ndarray, most: np.ndarray, clashes: Clashes) -> np.ndarray:
    """Calendars that could still take a set larger than LARGEST_SET, which was not examined."""
    width = early.shape[1]
    possible = np.zeros(len(early), dtype=bool)
    if width <= EXACT_CHANNELS:
        return possible
    for chosen in combinations(range(width), LARGEST_SET + 1):
        free = (most > LARGEST_SET) & ~possible & (early[:, chosen] >= 0).all(axis=1)
        for part in _parts(chosen, clashes):
            if not free.any():
                break
            free &= ~clashes[part]
        possible |= free
    return possible


def _parts(chosen: tuple[int, ...], clashes: Clashes) -> list[tuple[int, ...]]:
    return [part for size in range(2, len(chosen)) for part in combinations(chosen, size) if part in clashes]


def _fits(runs: list[tuple[np.ndarray, np.ndarray]], gaps: np.ndarray, order: tuple[int, ...]) -> np.ndarray:
    """Whether the channels, in this order and as early as they may, all meet their runs; one entry per calendar."""
    days: list[np.ndarray] = []
    fits = np.ones(len(runs[0][0]), dtype=bool)
    for step, (first, last) in enumerate(runs):
        begins = first
        for before, day in enumerate(days):
            begins = np.maximum(begins, day + gaps[order[before], order[step]])
        days.append(begins)
        fits &= begins <= last
    return fits
