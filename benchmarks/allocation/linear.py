"""The one linear model that every peer gets: sparse rows over chosen pairs and reach variables.

maximise sum value x. Columns: first x of every available pair (binary), then y of every HCP with an available channel that takes
minutes (0..1, continuous: reached, y <= sum of its x on such channels; an integer x makes it integer). Rows in blocks:

| block | row |
|---|---|
| `most_actions` | per HCP: sum x <= most_actions, where it can bind |
| `incompatible` | per HCP with both channels available: x_a + x_b <= 1 |
| `reach` | per HCP with a y: y - sum x on channels with minutes <= 0 |
| `rep_minutes` | per rep: sum minutes x <= rep_minutes |
| `floor` | per territory: sum y >= floor |
| `budget` | sum cost x <= budget |
| `channel` | actions per channel between channel_min and channel_max, where one is given |
| `channel_budget` | cost per channel <= channel_budget, where given |
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from benchmarks.allocation.families import AllocationCase


@dataclass(frozen=True)
class LinearModel:
    """gain (n,); rows CSR (m, n); lower, upper (m,) with infinities; binary (n,) bool; pairs: pair number of each x column;
    reached: HCP number of each y column; block (m,): text, which kind of row."""

    gain: np.ndarray
    rows: sparse.csr_matrix
    lower: np.ndarray
    upper: np.ndarray
    binary: np.ndarray
    pairs: np.ndarray
    reached: np.ndarray
    block: np.ndarray

    @property
    def x_count(self) -> int:
        return len(self.pairs)

    def chosen(self, case: AllocationCase, values: np.ndarray) -> np.ndarray:
        """Bool over all pairs of the case: x columns above one half."""
        chosen = np.zeros(case.value.size, dtype=bool)
        chosen[self.pairs[values[: self.x_count] > 0.5]] = True
        return chosen


def linear_model(case: AllocationCase) -> LinearModel:
    """The case as arrays."""
    width = case.channel_count
    pairs = np.flatnonzero(case.available)
    hcp, channel = pairs // width, pairs % width
    minutes = case.pair_minutes.ravel()[pairs].astype(np.float64)
    timed = minutes > 0
    reached = np.unique(hcp[timed])
    parts = _hcp_rows(case, hcp, channel) + _reach_rows(case, hcp, timed, reached, len(pairs))
    parts += _shared_rows(case, hcp, channel, minutes, reached)
    count = len(pairs) + len(reached)
    rows = sparse.vstack([_wide(matrix, count) for _, matrix, _, _ in parts], format="csr")
    return LinearModel(
        gain=np.r_[case.value.ravel()[pairs], np.zeros(len(reached))],
        rows=rows,
        lower=np.concatenate([lower for _, _, lower, _ in parts]),
        upper=np.concatenate([upper for _, _, _, upper in parts]),
        binary=np.r_[np.ones(len(pairs), dtype=bool), np.zeros(len(reached), dtype=bool)],
        pairs=pairs,
        reached=reached,
        block=np.repeat([name for name, *_ in parts], [matrix.shape[0] for _, matrix, _, _ in parts]),
    )


Part = tuple[str, sparse.csr_matrix, np.ndarray, np.ndarray]


def _rows_by(owner: np.ndarray, column: np.ndarray, coefficient: np.ndarray, count: int, columns: int) -> sparse.csr_matrix:
    return sparse.csr_matrix((coefficient, (owner, column)), shape=(count, columns))


def _wide(matrix: sparse.csr_matrix, columns: int) -> sparse.csr_matrix:
    return sparse.csr_matrix((matrix.data, matrix.indices, matrix.indptr), shape=(matrix.shape[0], columns))


def _at_most(name: str, matrix: sparse.csr_matrix, upper: np.ndarray) -> Part:
    return name, matrix, np.full(len(upper), -np.inf), upper.astype(np.float64)


def _hcp_rows(case: AllocationCase, hcp: np.ndarray, channel: np.ndarray) -> list[Part]:
    """Rules inside one HCP."""
    ones, place = np.ones(len(hcp)), np.arange(len(hcp))
    every = _rows_by(hcp, place, ones, case.hcp_count, len(hcp))
    binding = np.flatnonzero(case.available.sum(axis=1) > case.most_actions)
    first, second = case.incompatible
    both = np.flatnonzero(case.available[:, first] & case.available[:, second])
    either = (channel == first) | (channel == second)
    twins = _rows_by(hcp[either], place[either], ones[either], case.hcp_count, len(hcp))[both]
    return [_at_most("most_actions", every[binding], case.most_actions[binding]), _at_most("incompatible", twins, np.ones(len(both)))]


def _reach_rows(case: AllocationCase, hcp: np.ndarray, timed: np.ndarray, reached: np.ndarray, x_count: int) -> list[Part]:
    """y of an HCP is at most the sum of its x on channels that take minutes."""
    column = np.r_[np.flatnonzero(timed), x_count + np.arange(len(reached))]
    owner = np.searchsorted(reached, np.r_[hcp[timed], reached])
    coefficient = np.r_[-np.ones(int(timed.sum())), np.ones(len(reached))]
    return [_at_most("reach", _rows_by(owner, column, coefficient, len(reached), x_count + len(reached)), np.zeros(len(reached)))]


def _shared_rows(case: AllocationCase, hcp: np.ndarray, channel: np.ndarray, minutes: np.ndarray, reached: np.ndarray) -> list[Part]:
    """Rows over many HCPs."""
    place, x_count = np.arange(len(hcp)), len(hcp)
    timed = minutes > 0
    by_rep = _rows_by(case.rep[hcp[timed]], place[timed], minutes[timed], case.rep_count, x_count)
    y_column = x_count + np.arange(len(reached))
    floors = _rows_by(case.rep[reached], y_column, np.ones(len(reached)), case.rep_count, x_count + len(reached))
    budget = _rows_by(np.zeros(x_count, dtype=np.int64), place, case.cost[channel], 1, x_count)
    by_channel = _rows_by(channel, place, np.ones(x_count), case.channel_count, x_count)
    limited = np.flatnonzero(~np.isnan(case.channel_min) | ~np.isnan(case.channel_max))
    paid = np.flatnonzero(~np.isnan(case.channel_budget))
    lower, upper = case.channel_min[limited], case.channel_max[limited]
    return [
        _at_most("rep_minutes", by_rep, case.rep_minutes),
        ("floor", floors, case.floor.astype(np.float64), np.full(case.rep_count, np.inf)),
        _at_most("budget", budget, np.array([case.budget])),
        ("channel", by_channel[limited], np.where(np.isnan(lower), -np.inf, lower), np.where(np.isnan(upper), np.inf, upper)),
        _at_most("channel_budget", sparse.csr_matrix(sparse.diags(case.cost[paid]) @ by_channel[paid]), case.channel_budget[paid]),
    ]
