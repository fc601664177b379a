"""Which touches of one HCP can be put on dates that keep directed gaps: the question behind the rule min_gap.

A calendar is one row of runs: first and last allowed day per channel, -1 where the channel is closed. gaps[i, j] is the number of
days that must lie between a touch of i and a later (or same-day) one of j; gaps[i, i] between two touches of i. A number of touches
per channel fits when some order of them, each as early as it may, meets every run; being early never hurts those that follow, and
what is part of something that fits fits. Touches of a channel without a gap to itself may share a day and the place in the order: one
of them stands for all.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import factorial

import numpy as np

MOST_SEQUENCES = 2_500  # orders looked at per calendar, up to which numbers of touches are examined
ALWAYS_EXAMINED = 4  # touches that are examined anyway, unless that takes ten times as many orders
LONG_AGO, FAR = -(2**20), 2**20  # days before and after every cycle

Clashes = dict[tuple[int, ...], np.ndarray]


def room_alone(early: np.ndarray, late: np.ndarray, gaps: np.ndarray, most: np.ndarray) -> np.ndarray:
    """(calendars, channels): touches to be dated of each channel alone: as many as `most` and its gap to itself leave room for, one
    where it has no such gap, 0 where it is closed."""
    own = np.diag(gaps)
    spread = (late - early) // np.maximum(own, 1) + 1
    return np.where(early < 0, 0, np.where(own > 0, np.minimum(spread, most), np.minimum(most, 1)))


def most_together(early: np.ndarray, late: np.ndarray, gaps: np.ndarray, room: np.ndarray) -> np.ndarray:
    """Per calendar a number of touches that nothing that fits exceeds: days between first and last, over the smallest gap, plus one."""
    total, present = room.sum(axis=1), early >= 0
    follows = ~np.eye(len(gaps), dtype=bool) | (room.max(axis=0, initial=0) > 1)
    smallest = int(gaps[follows].min())
    if smallest == 0:
        return total
    span = np.where(present, late, -1).max(axis=1) - np.where(present, early, -LONG_AGO).min(axis=1)
    return np.minimum(total, np.maximum(span, 0) // smallest + 1)


def whole_fits(early: np.ndarray, late: np.ndarray, gaps: np.ndarray, room: np.ndarray) -> np.ndarray:
    """Calendars where `room` touches of every channel surely fit together (then all else does): at every step the touch that can be
    first, or else the one that is due first, is taken."""
    fits = np.zeros(len(early), dtype=bool)
    for due_first in (False, True):
        rows = np.flatnonzero(~fits)
        first, end, left = early[rows], late[rows], room[rows].copy()
        last, place, in_order = np.full(left.shape, LONG_AGO), np.arange(len(rows)), np.ones(len(rows), dtype=bool)
        for _ in range(int(left.sum(axis=1).max(initial=0))):
            begins = np.stack([np.maximum(first[:, c], (last + gaps[:, c]).max(axis=1)) for c in range(len(gaps))], axis=1)
            key = end * FAR + np.minimum(begins, FAR - 1) if due_first else np.minimum(begins, FAR - 1) * FAR + end
            taken = np.where(left > 0, key, np.iinfo(np.int64).max).argmin(axis=1)
            is_open = left[place, taken] > 0
            day = begins[place, taken]
            in_order &= ~is_open | (day <= end[place, taken])
            last[place[is_open], taken[is_open]] = day[is_open]
            left[place, taken] -= is_open
        fits[rows] = in_order
    return fits


def largest_examined(room: np.ndarray) -> int:
    """How many touches together are examined exactly, when the channels hold up to `room` (channels,) touches."""
    # Orders of s touches: s! times the coefficient of x^s in the product over channels of sum over j <= room of x^j / j!.
    orders, total, series = 0.0, int(room.sum()), np.ones(1)
    for most in room:
        series = np.convolve(series, [1 / factorial(j) for j in range(min(int(most), 20) + 1)])[:21]
    for size in range(1, total + 1):
        orders += factorial(size) * series[size] if size < len(series) else np.inf
        if orders > MOST_SEQUENCES * (10 if size <= ALWAYS_EXAMINED else 1) and size > 2:
            return size - 1
    return total


def smallest_clashes(
    early: np.ndarray, late: np.ndarray, gaps: np.ndarray, room: np.ndarray, most: np.ndarray, largest: int
) -> tuple[Clashes, np.ndarray]:
    """Every smallest number of touches per channel that does not fit, with the mask of the calendars where it does not; and the
    calendars that might still hold more than `largest` touches, which are not examined.

    Numbers beyond a calendar's `room` of a channel or `most` of all are left to caps.
    """
    clashes: Clashes = {}
    ceiling = room.max(axis=0, initial=0)
    for size in range(2, largest + 1):
        for touches in _vectors(ceiling, size):
            held = np.flatnonzero(touches)
            if len(held) == 1:
                continue
            rows = np.flatnonzero(_open_to(touches, room, most, clashes))
            part = np.ix_(rows, held)
            unfit = rows[_without_order(early[part], late[part], gaps[np.ix_(held, held)], touches[held])]
            if len(unfit):
                clashes[tuple(touches.tolist())] = np.bincount(unfit, minlength=len(early)).astype(bool)
    larger = np.zeros(len(early), dtype=bool)
    if largest < int(ceiling.sum()):
        for touches in _vectors(ceiling, largest + 1):
            larger |= _open_to(touches, room, most, clashes)
    return clashes, larger


def _vectors(ceiling: np.ndarray, total: int) -> Iterator[np.ndarray]:
    """Every number of touches per channel, at most `ceiling`, that adds up to `total`, in a fixed order."""
    if len(ceiling) == 0:
        if total == 0:
            yield np.zeros(0, dtype=np.int64)
        return
    for count in range(min(int(ceiling[0]), total), max(0, total - int(ceiling[1:].sum())) - 1, -1):
        for rest in _vectors(ceiling[1:], total - count):
            yield np.r_[count, rest]


def _open_to(touches: np.ndarray, room: np.ndarray, most: np.ndarray, clashes: Clashes) -> np.ndarray:
    """Calendars with room for these touches, and no clash among fewer of them."""
    free = (room >= touches).all(axis=1) & (most >= touches.sum())
    for part, mask in clashes.items():
        if all(few <= many for few, many in zip(part, touches.tolist(), strict=True)):
            free &= ~mask
    return free


def _without_order(early: np.ndarray, late: np.ndarray, gaps: np.ndarray, touches: np.ndarray) -> np.ndarray:
    """Mask of the calendars (rows) where no order of so many touches per channel keeps the gaps inside the runs."""
    pending = np.ones(len(early), dtype=bool)

    def follow(rows: np.ndarray, last: np.ndarray, left: list[int]) -> None:
        if not any(left):
            pending[rows] = False
            return
        for code in (code for code, count in enumerate(left) if count):
            alive = pending[rows]
            rows, last = rows[alive], last[alive]
            if len(rows) == 0:
                return
            begins = np.maximum(early[rows, code], (last + gaps[:, code]).max(axis=1))
            meets = begins <= late[rows, code]
            after = last[meets]
            after[:, code] = begins[meets]
            follow(rows[meets], after, [count - (place == code) for place, count in enumerate(left)])

    follow(np.arange(len(early)), np.full(early.shape, LONG_AGO), touches.tolist())
    return pending
