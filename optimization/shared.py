"""The limits that several HCPs share, against the columns of `sets.py`: use, prices, best columns at prices.

HCPs that count alike in every limit share a profile: what a touch costs is worked out once per profile, not per HCP. Features of a set
are its touches by channel, then one flag per scope of a limit that counts HCPs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse

from optimization.problem import Limit, Problem
from optimization.sets import HcpSets

Matrix = sparse.csr_matrix
ASKED_HCPS = 100_000  # HCPs whose shortfalls are counted where there are more


@dataclass(frozen=True)
class SharedLimits:
    """sign (limits): +1 for `max`, -1 for `min`; soft: shortfall allowed; profile (hcps): row of the cost table; scopes (scopes,
    channels) bool: what a flag looks at; coefficient: sparse (limits, profiles * features), use per unit of a feature."""

    sign: np.ndarray
    bound: np.ndarray
    soft: np.ndarray
    profile: np.ndarray
    profile_count: int
    scopes: np.ndarray
    coefficient: Matrix

    @property
    def count(self) -> int:
        return len(self.bound)

    @property
    def width(self) -> int:
        """Features of a set."""
        return self.scopes.shape[0] + self.scopes.shape[1]

    @cached_property
    def scale(self) -> np.ndarray:
        """Largest coefficient of each limit, so that solver tolerances mean the same for minutes, money and touches."""
        top = np.asarray(abs(self.coefficient).max(axis=1).todense()).ravel() if self.coefficient.nnz else np.zeros(self.count)
        return np.where(top > 0, top, 1.0)

    @cached_property
    def by_feature(self) -> Matrix:
        """(profiles * features, limits): the coefficients, turned."""
        return sparse.csr_matrix(self.coefficient.T)

    def cost(self, prices: np.ndarray) -> np.ndarray:
        """(profiles, features): what a feature costs at these prices (negative: a floor pays for it)."""
        if self.count == 0 or not np.any(prices):
            return np.zeros((self.profile_count, self.width))
        return (self.by_feature @ (self.sign * prices)).reshape(-1, self.width)

    def features(self, sets: HcpSets) -> np.ndarray:
        """(kinds, features) float64."""
        touched = sets.touches > 0
        flags = np.array([(touched & scope).any(axis=1) for scope in self.scopes], dtype=np.float64).reshape(
            len(self.scopes), len(sets.touches)
        )
        return np.hstack([sets.touches.astype(np.float64), flags.T])

    def flags(self, sets: HcpSets) -> tuple[np.ndarray, np.ndarray]:
        """(first flag per kind, flag): the scopes that a kind touches, as flat lists."""
        touched = self.features(sets)[:, sets.channel_count :]
        kind, flag = np.nonzero(touched)
        return np.searchsorted(kind, np.arange(len(sets.touches) + 1)).astype(np.int64), flag.astype(np.int32)

    def use_of(self, sets: HcpSets, columns: np.ndarray, rows: Matrix | None = None) -> sparse.csc_matrix:
        """(limits, len(columns)) use of each column; rows: other rows over (profile, feature) cells than the limits'."""
        owner = sets.owner_of(columns)
        kind = sets.list_kind[sets.list_start[sets.list_of[owner]] + columns - sets.start[owner]]
        kinds, which = np.unique(kind, return_inverse=True)
        features = sparse.csr_matrix(self.features(sets)[kinds])[which]
        cells = self.profile[owner][np.repeat(np.arange(len(columns)), np.diff(features.indptr))].astype(np.int64) * self.width
        pick = sparse.csc_matrix(
            (features.data, cells + features.indices, features.indptr), shape=(self.profile_count * self.width, len(columns))
        )
        return sparse.csc_matrix((self.coefficient if rows is None else rows) @ pick)

    def total_use(self, sets: HcpSets, columns: np.ndarray) -> np.ndarray:
        """(limits) use of all these columns together."""
        return self.coefficient @ self.counts(sets, columns).ravel()

    def counts(self, sets: HcpSets, columns: np.ndarray) -> np.ndarray:
        """(profiles, features) what all these columns together touch."""
        from optimization.kernels import count_features

        owner = sets.owner_of(columns)
        found = np.zeros((self.profile_count, self.width))
        flag_start, flag = self.flags(sets)
        count_features(sets.kernel, flag_start, flag, self.profile, owner, columns - sets.start[owner], found)
        return found


@dataclass(frozen=True)
class Pricing:
    """Sets and limits bound together for passes at many prices."""

    sets: HcpSets
    shared: SharedLimits

    @cached_property
    def _ends(self) -> tuple:
        flag_start, flag = self.shared.flags(self.sets)
        longest = int(np.diff(self.sets.list_start).max(initial=1))
        return self.shared.profile, flag_start, flag, longest

    def terms(self, prices: np.ndarray) -> tuple:
        """What every kernel asks for about prices, in its order."""
        return (self.shared.cost(prices), *self._ends)

    def _run(self, kernel: Callable, terms: tuple, *arrays: object) -> list:
        from optimization.kernels import in_parts

        return in_parts(lambda a, b: kernel(self.sets.kernel, terms, a, b, *arrays), self.sets.hcp_count, self.sets.threads)

    def best(self, prices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(best priced value, first column reaching it) per HCP; every HCP must own a column."""
        from optimization.kernels import best_sets

        count = self.sets.hcp_count
        best, place = np.empty(count), np.empty(count, dtype=np.int64)
        self._run(best_sets, self.terms(prices), best, place)
        return best, self.sets.start[:-1] + place

    def bound(self, prices: np.ndarray, best: np.ndarray | None = None) -> float:
        """price_bound: upper bound on objective - penalty for any prices >= 0 (<= the floor penalty on soft floors), by weak duality,
        summed exactly."""
        best = self.best(prices)[0] if best is None else best
        return math.fsum(best.tolist() + (self.shared.sign * prices * self.shared.bound).tolist())

    def above(self, prices: np.ndarray, threshold: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
        """(columns with a priced value of at least their HCP's threshold, those values, the least that a column left out is below it)."""
        from optimization.kernels import count_sets, take_sets

        terms, count = self.terms(prices), self.sets.hcp_count
        found = np.zeros(count, dtype=np.int64)
        below = max(self._run(count_sets, terms, threshold, found), default=-np.inf)
        edge = np.concatenate([[0], np.cumsum(found)])
        place, priced = np.empty(edge[-1], dtype=np.int64), np.empty(edge[-1])
        self._run(take_sets, terms, threshold, edge, place, priced)
        return np.repeat(self.sets.start[:-1], found) + place, priced, -below

    def nearest(self, prices: np.ndarray, best: np.ndarray, wanted: int) -> float:
        """A shortfall up to which about `wanted` columns lie (at least so many, unless there are fewer), on a fixed grid of 2 per cent.
        Of very many HCPs some are asked for all."""
        from optimization.kernels import in_parts, shortfall_counts

        top = float(np.abs(best).max(initial=0.0)) or 1.0
        edges = top * np.exp(np.log(1.02) * np.arange(-1500, 200))
        terms, stride = self.terms(prices), max(1, self.sets.hcp_count // ASKED_HCPS)

        def work(first: int, last: int) -> np.ndarray:
            counts = np.zeros(len(edges) + 1, dtype=np.int64)
            shortfall_counts(self.sets.kernel, terms, first, last, stride, best, edges, counts)
            return counts

        counts = stride * np.cumsum(np.sum(in_parts(work, self.sets.hcp_count, self.sets.threads), axis=0))
        at = int(np.searchsorted(counts, wanted))
        return float(edges[at]) if at < len(edges) else math.inf

    def forced(self, prices: np.ndarray) -> np.ndarray:
        """(pairs) best priced value of the HCP with the pair forced in, -inf where no allowed set holds it."""
        from optimization.kernels import forced_sets

        found = np.full((self.sets.hcp_count, self.sets.channel_count), -np.inf)
        self._run(forced_sets, self.terms(prices), found)
        return found.ravel()


def build_shared(problem: Problem, sets: HcpSets) -> SharedLimits:
    """The limits of a problem over these sets."""
    return shared_of(problem.limits, sets, np.asarray(problem.most_touches))


def shared_of(limits: Sequence[Limit], sets: HcpSets, most: np.ndarray) -> SharedLimits:
    """The limits over these sets; most (channels): touches of one HCP at most."""
    channels = sets.channel_count
    scopes: dict[tuple[bool, ...], int] = {}
    parts = [_entries(limit, sets, most, scopes) for limit in limits]
    profile, examples, sizes = _profiles(parts, sets.hcp_count)
    width, count = channels + len(scopes), len(examples)
    rows, cells, data = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)], [np.empty(0)]
    for number, (hcps, feature, use) in enumerate(parts):
        if len(feature) == 0 or (hcps is not None and len(hcps) == 0):
            continue
        mine, place = (np.arange(count), None) if hcps is None else np.unique(profile[hcps], return_index=True)
        assert hcps is None or sizes[mine].sum() == len(hcps), "HCPs of one profile count alike in every limit"
        table = np.broadcast_to(use, (len(mine), len(feature))) if use.ndim == 1 else use[place]
        at, what = np.nonzero(table)
        rows.append(np.full(len(at), number))
        cells.append(mine[at] * width + feature[what])
        data.append(table[at, what])
    matrix = sparse.csr_matrix((np.concatenate(data), (np.concatenate(rows), np.concatenate(cells))), shape=(len(limits), count * width))
    sign = np.array([1.0 if x.side == "max" else -1.0 for x in limits])
    bound = np.array([x.bound for x in limits], dtype=np.float64)
    soft = np.array([x.hardness == "soft" for x in limits], dtype=bool)
    table = np.array(list(scopes), dtype=bool).reshape(len(scopes), channels)
    return SharedLimits(sign, bound, soft, profile, count, table, matrix)


def _entries(
    limit: Limit, sets: HcpSets, most: np.ndarray, scopes: dict[tuple[bool, ...], int]
) -> tuple[np.ndarray | None, np.ndarray, np.ndarray]:
    """(HCPs, None = all; features; use by feature, or by HCP and feature) of one limit."""
    use, channels = np.asarray(limit.use, dtype=np.float64), sets.channel_count
    hcps = None if use.ndim == 1 and len(limit.hcps) == sets.hcp_count else limit.hcps
    if limit.counts == "touches":
        return hcps, np.arange(channels), use
    if use.ndim == 1:
        return hcps, np.array([_scope(use, channels, most, scopes)]), np.ones(1)
    asked, which = np.unique(use > 0, axis=0, return_inverse=True)
    features = np.array([_scope(row.astype(np.float64), channels, most, scopes) for row in asked], dtype=np.int64)
    distinct, place = np.unique(features, return_inverse=True)
    own = np.zeros((len(use), len(distinct)))
    own[np.arange(len(use)), place[which.ravel()]] = use.any(axis=1)
    return hcps, distinct, own


def _scope(flags: np.ndarray, channels: int, most: np.ndarray, scopes: dict[tuple[bool, ...], int]) -> int:
    """Feature that is 1 when any flagged channel is touched; a single channel of one touch is its own flag."""
    wanted = np.flatnonzero(flags > 0)
    if len(wanted) == 1 and most[wanted[0]] <= 1:
        return int(wanted[0])
    return channels + scopes.setdefault(tuple((flags > 0).tolist()), len(scopes))


def scrambled(numbers: np.ndarray) -> np.ndarray:
    """uint64 of floats, equal numbers alike, every bit of the input in every bit of the output (Steele and others, 2014: SplitMix)."""
    bits = (np.ascontiguousarray(numbers, dtype=np.float64) + 0.0).view(np.uint64).copy()
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        bits ^= bits >> np.uint64(shift)
        bits *= np.uint64(factor)
    return bits ^ (bits >> np.uint64(31))


def _profiles(parts: Sequence[tuple], hcps: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(profile per HCP, one example HCP per profile, HCPs per profile): HCPs that count alike in every limit.

    Memberships are summed as random 64-bit numbers; `shared_of` asserts that every limit holds whole profiles. HCPs with numbers of
    their own in a limit are told apart by those numbers too.
    """
    draw = np.random.default_rng(20_017)
    label = np.zeros(hcps, dtype=np.uint64)
    for members, _, use in parts:
        one = draw.integers(1, 2**63 - 1, dtype=np.int64)
        if use.ndim == 2:
            weight = draw.integers(1, 2**62, size=use.shape[1], dtype=np.int64).view(np.uint64)
            mixed = (scrambled(use) * weight).sum(axis=1, dtype=np.uint64)
            label[slice(None) if members is None else members] += mixed + np.uint64(one)
        elif members is not None:
            label[members] += np.uint64(one)
    _, examples, profile, sizes = np.unique(label, return_index=True, return_inverse=True, return_counts=True)
    return profile.astype(np.int32), examples, sizes
