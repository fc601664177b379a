"""Adding touches while there is room: the kernel behind the greedy plan and behind rounding."""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
from scipy import sparse

from benchmarks.allocation.linear import LinearModel

TOLERANCE = 1e-9


@dataclass(frozen=True)
class Room:
    """What an addition must know: columns of x as CSC (start, row, coefficient), bounds of rows; top touches of a column.

    feeds: for each row the floor row that it feeds by reaching an HCP, -1 = none; opens: for a row with a binary u (so many touches
    only where u is 1) the row that counts the u of its combination, -1 = none; wider: by how much an open u raises the row's upper.
    """

    start: np.ndarray
    row: np.ndarray
    coefficient: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    feeds: np.ndarray
    opens: np.ndarray
    wider: np.ndarray
    top: np.ndarray


def room_of(model: LinearModel) -> Room:
    """The model over its x columns; what y and u add is in `feeds`, `opens` and `wider`."""
    x_count = len(model.pairs)
    columns = sparse.csc_matrix(model.rows)
    reached = np.flatnonzero(~model.integer & (model.gain == 0))
    part = columns[:, reached].tocoo()
    feeds = np.full(len(model.upper), -1, dtype=np.int64)
    asks = np.isfinite(model.lower[part.row])
    floor_of = np.full(len(reached), -1, dtype=np.int64)
    floor_of[part.col[asks]] = part.row[asks]
    feeds[part.row[~asks]] = floor_of[part.col[~asks]]
    opens, wider = np.full(len(model.upper), -1, dtype=np.int64), np.zeros(len(model.upper))
    gates = np.arange(x_count, int(model.integer.sum()))
    part = columns[:, gates].tocoo()
    counts = part.data > 0
    combination = np.full(len(gates), -1, dtype=np.int64)
    combination[part.col[counts]] = part.row[counts]
    opens[part.row[~counts]], wider[part.row[~counts]] = combination[part.col[~counts]], -part.data[~counts]
    x = columns[:, :x_count]
    top = model.top[:x_count].astype(np.int64)
    start, row = x.indptr.astype(np.int64), x.indices.astype(np.int64)
    return Room(start, row, x.data, model.lower, model.upper, feeds, opens, wider, top)


@numba.njit("void(i8[:],i8[:],i8[:],f8[:],f8[:],f8[:],i8[:],i8[:],f8[:],i8[:],f8[:],i8[:],i8[:],b1)", cache=True)
def add_in_order(order, start, row, coefficient, lower, upper, feeds, opens, wider, top, activity, reached, touches, only_needed):
    """One more touch on each column of `order` that has room; `activity`, `reached` (per row) and `touches` change in place.

    reached counts, in rows that feed a floor, the touches of the HCP; in rows with a binary it is 1 once that is open.

    only_needed: skip columns that bring no row nearer to its lower bound.
    """
    for column in order:
        if touches[column] >= top[column]:
            continue
        fits, needed = True, False
        for place in range(start[column], start[column + 1]):
            r = row[place]
            if feeds[r] >= 0:
                floor = feeds[r]
                needed = needed or (reached[r] == 0 and activity[floor] < lower[floor] - TOLERANCE)
                continue
            after = activity[r] + coefficient[place]
            if after > upper[r] + wider[r] + TOLERANCE:
                fits = False
                break
            if after > upper[r] + TOLERANCE and reached[r] == 0 and activity[opens[r]] + 1 > upper[opens[r]] + TOLERANCE:
                fits = False
                break
            needed = needed or (coefficient[place] > 0 and activity[r] < lower[r] - TOLERANCE)
        if not fits or (only_needed and not needed):
            continue
        touches[column] += 1
        for place in range(start[column], start[column + 1]):
            r = row[place]
            if feeds[r] >= 0:
                if reached[r] == 0:
                    activity[feeds[r]] += 1.0
                reached[r] += 1
            else:
                activity[r] += coefficient[place]
                if activity[r] > upper[r] + TOLERANCE and reached[r] == 0:
                    reached[r] = 1
                    activity[opens[r]] += 1.0


class Filling:
    """A plan being filled up: `add(order)` adds where there is room."""

    def __init__(self, model: LinearModel) -> None:
        self.room = room_of(model)
        self.activity = np.zeros(len(model.upper))
        self.reached = np.zeros(len(model.upper), dtype=np.int64)
        self.touches = np.zeros(len(model.pairs), dtype=np.int64)

    def add(self, order: np.ndarray, only_needed: bool = False) -> None:
        """One more touch on each column of `order`, in order, where it breaks no upper bound."""
        room = self.room
        parts = (room.start, room.row, room.coefficient, room.lower, room.upper, room.feeds, room.opens, room.wider, room.top)
        add_in_order(order.astype(np.int64), *parts, self.activity, self.reached, self.touches, only_needed)

    def swap_for_floors(self, gain: np.ndarray, order: np.ndarray) -> None:
        """For floors still missed: take back the cheapest touches that cost no reached HCP, one at a time, until the floor's own fit."""
        missed = np.flatnonzero(np.isfinite(self.room.lower) & (self.activity < self.room.lower - TOLERANCE))
        for floor in np.intersect1d(missed, self.room.feeds).tolist():
            feeding = np.flatnonzero(self.room.feeds == floor)
            owner = np.repeat(np.arange(len(self.room.top)), np.diff(self.room.start))
            mine = np.unique(owner[np.isin(self.room.row, feeding)])
            taken = mine[self.touches[mine] > 0]
            candidates = order[np.isin(order, mine)]
            for column in taken[np.argsort(gain[taken], kind="stable")].tolist():
                if self.activity[floor] >= self.room.lower[floor] - TOLERANCE:
                    break
                if self._spare(column):
                    self._take_back(column)
                    self.add(candidates, only_needed=True)

    def _entries(self, column: int) -> slice:
        return slice(self.room.start[column], self.room.start[column + 1])

    def _spare(self, column: int) -> bool:
        """Whether the plan keeps every reached HCP and every minimum without one touch of this column."""
        rows, use = self.room.row[self._entries(column)], self.room.coefficient[self._entries(column)]
        feeds = self.room.feeds[rows] >= 0
        left = self.activity[rows] - use
        return bool(np.all(self.reached[rows[feeds]] > 1) and np.all(left[~feeds] >= self.room.lower[rows[~feeds]] - TOLERANCE))

    def _take_back(self, column: int) -> None:
        rows, use = self.room.row[self._entries(column)], self.room.coefficient[self._entries(column)]
        feeds = self.room.feeds[rows] >= 0
        self.touches[column] -= 1
        self.reached[rows[feeds]] -= 1
        self.activity[rows[~feeds]] -= use[~feeds]
