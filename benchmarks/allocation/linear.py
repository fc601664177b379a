"""The one linear model that every peer gets, made from the problem that the checker judges by: sparse rows over touches.

maximise gain z, lower <= rows z <= upper, low <= z <= top. Columns, in this order:

| column | of | kind |
|---|---|---|
| x | every eligible pair: its touches, 0..most_touches (pins from 1) | integer |
| y | every HCP counted by a limit on distinct HCPs: reached | 0..1, continuous: pushed up to a whole number by a whole x |
| s | every soft floor: HCPs missing, at the floor penalty | continuous |
| u | members of a rule against combinations of several touches | binary |

Rows in blocks: `hcp` (contact limits, where they can bind), `together` (combinations), `reach` (y <= sum x), `limit` (one per
limit). Diminishing returns inside one HCP are not linear in x: the problem must have overlap 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from optimization.problem import Limit, Problem


@dataclass(frozen=True)
class LinearModel:
    """gain, low, top, integer (n,); rows CSR (m, n); lower, upper (m,) with infinities; pairs (x columns,): pair numbers;
    pair_count: of the problem; cap_rows: the first so many rows are the contact limits."""

    gain: np.ndarray
    low: np.ndarray
    top: np.ndarray
    integer: np.ndarray
    rows: sparse.csr_matrix
    lower: np.ndarray
    upper: np.ndarray
    pairs: np.ndarray
    pair_count: int
    cap_rows: int = 0

    def touches(self, values: np.ndarray) -> np.ndarray:
        """Touches over all pairs of the problem from the values of the columns."""
        touches = np.zeros(self.pair_count, dtype=np.int16)
        touches[self.pairs] = np.rint(np.asarray(values)[: len(self.pairs)])
        return touches

    def bound_of(self, duals: np.ndarray) -> float:
        """A valid upper bound from any row prices: the box maximum of the reduced gains plus prices x bounds (weak duality).

        duals (m,): positive on an upper side, negative on a lower one; prices of sides that do not exist are dropped.
        """
        price = np.clip(duals, np.where(np.isfinite(self.lower), -np.inf, 0.0), np.where(np.isfinite(self.upper), np.inf, 0.0))
        rest = self.gain - self.rows.T @ price
        with np.errstate(invalid="ignore"):
            sides = np.where(price > 0, price * self.upper, np.where(price < 0, price * self.lower, 0.0))
        return float(np.where(rest > 0, rest * self.top, rest * self.low).sum() + sides.sum())


@dataclass
class _Rows:
    """Rows being collected, as triplets with growing numbers of rows and columns."""

    row: list[np.ndarray]
    column: list[np.ndarray]
    coefficient: list[np.ndarray]
    lower: list[np.ndarray]
    upper: list[np.ndarray]
    count: int = 0

    def add(self, row: np.ndarray, column: np.ndarray, coefficient: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> None:
        """len(lower) more rows; `row` counts from their first."""
        self.row.append(row + self.count)
        self.column.append(column)
        self.coefficient.append(np.broadcast_to(coefficient, column.shape).astype(np.float64))
        self.lower.append(np.asarray(lower, dtype=np.float64))
        self.upper.append(np.asarray(upper, dtype=np.float64))
        self.count += len(lower)


def linear_model(problem: Problem) -> LinearModel:
    """The problem as arrays. ValueError where it is not linear or a limit on distinct HCPs caps instead of asks."""
    if problem.settings.overlap:
        raise ValueError(f"overlap {problem.settings.overlap} must be 0: diminishing returns are not linear in touches")
    pairs = np.flatnonzero(problem.eligible)
    x_of = np.full(problem.pair_count, -1)
    x_of[pairs] = np.arange(len(pairs))
    rows = _Rows([], [], [], [], [])
    x_top = problem.most_touches[pairs % len(problem.channels)].astype(np.float64)
    _add_caps(problem, rows, x_of, x_top)
    cap_rows = rows.count
    width, u_count = _add_combinations(problem, rows, x_of, x_top, len(pairs))
    width, y_count, s_count = _add_limits(problem, rows, x_of, width)
    x_low = np.zeros(len(pairs))
    x_low[x_of[problem.pins]] = 1.0
    missing = np.array([limit.bound for limit in problem.limits if limit.hardness == "soft"])
    penalty = _penalty(problem) if s_count else 0.0
    place = np.concatenate(rows.row), np.concatenate(rows.column)
    matrix = sparse.csr_matrix((np.concatenate(rows.coefficient), place), shape=(rows.count, width))
    return LinearModel(
        gain=np.r_[problem.value[pairs], np.zeros(u_count + y_count), np.full(s_count, -penalty)],
        low=np.r_[x_low, np.zeros(u_count + y_count + s_count)],
        top=np.r_[x_top, np.ones(u_count + y_count), missing],
        integer=np.repeat([True, False], [len(pairs) + u_count, y_count + s_count]),
        rows=matrix,
        lower=np.concatenate(rows.lower),
        upper=np.concatenate(rows.upper),
        pairs=pairs,
        pair_count=problem.pair_count,
        cap_rows=cap_rows,
    )


def _penalty(problem: Problem) -> float:
    from optimization.checker import floor_penalty

    return floor_penalty(problem)


def _add_caps(problem: Problem, rows: _Rows, x_of: np.ndarray, x_top: np.ndarray) -> None:
    """Contact limits: of the pairs of a group at most so many touches; groups that cannot exceed it are left out."""
    for cap in problem.caps:
        column = x_of[cap.pairs]
        group, column = cap.group[column >= 0], column[column >= 0]
        most = np.bincount(group, weights=x_top[column], minlength=len(cap.upper))
        kept = np.flatnonzero(most > cap.upper)
        inside = np.isin(group, kept)
        rows.add(np.searchsorted(kept, group[inside]), column[inside], np.ones(1), np.full(len(kept), -np.inf), cap.upper[kept])


def _add_combinations(problem: Problem, rows: _Rows, x_of: np.ndarray, x_top: np.ndarray, width: int) -> tuple[int, int]:
    """Members that may not all have `least` touches: sum x <= k - 1 where x is 0/1, else by binaries u. (columns, u columns)."""
    first = width
    for rule in problem.exclusive:
        members = x_of[rule.members]
        members = members[(members >= 0).all(axis=1)]
        count, size = members.shape
        least = np.ones(size) if rule.least is None else np.array(rule.least, dtype=np.float64)
        reachable = (x_top[members] >= least).all(axis=1)
        members, count = members[reachable], int(reachable.sum())
        column = members
        if np.any(x_top[members] > 1):
            column = width + np.arange(members.size).reshape(members.shape)
            width += members.size
            # x <= (least - 1) + (top - least + 1) u: so many touches only where u is 1
            weight = x_top[members] - least + 1
            both = np.stack([members, column], axis=2).ravel()
            coefficient = np.stack([np.ones(members.shape), -weight], axis=2).ravel()
            limits = np.broadcast_to(least - 1, members.shape).ravel()
            rows.add(np.repeat(np.arange(members.size), 2), both, coefficient, np.full(members.size, -np.inf), limits)
        rows.add(np.repeat(np.arange(count), size), column.ravel(), np.ones(1), np.full(count, -np.inf), np.full(count, size - 1.0))
    return width, width - first


def _add_limits(problem: Problem, rows: _Rows, x_of: np.ndarray, width: int) -> tuple[int, int, int]:
    """One row per limit; limits on distinct HCPs through y. (columns, y columns, s columns)."""
    entries = [_entries(problem, limit, x_of) for limit in problem.limits]
    y_count = sum(len(np.unique(hcps)) for limit, (_, _, hcps) in zip(problem.limits, entries, strict=True) if limit.counts == "hcps")
    y_next, s_next = width, width + y_count
    for limit, (column, coefficient, hcps) in zip(problem.limits, entries, strict=True):
        if limit.counts == "hcps":
            if limit.side != "min":
                raise ValueError(f"{limit.label}: at most so many distinct HCPs is not in this model")
            reached, place = np.unique(hcps, return_inverse=True)
            y = y_next + np.arange(len(reached))
            y_next += len(reached)
            sign = np.r_[-np.ones(len(column)), np.ones(len(y))]
            none = np.full(len(y), -np.inf)
            rows.add(np.r_[place, np.arange(len(y))], np.r_[column, y], sign, none, np.zeros(len(y)))
            column, coefficient = y, np.ones(len(y))
        if limit.hardness == "soft":
            column, coefficient = np.r_[column, s_next], np.r_[coefficient, 1.0]
            s_next += 1
        lower, upper = (limit.bound, np.inf) if limit.side == "min" else (-np.inf, limit.bound)
        rows.add(np.zeros(len(column), dtype=np.int64), column, coefficient, np.array([lower]), np.array([upper]))
    return s_next, y_count, s_next - width - y_count


def _entries(problem: Problem, limit: Limit, x_of: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(x columns, coefficients, HCPs) that a limit counts, eligible pairs only."""
    pairs, coefficient = limit.entries(len(problem.channels))
    column = x_of[pairs]
    kept = column >= 0
    return column[kept], coefficient[kept], pairs[kept] // len(problem.channels)
