"""Every allowed set of touches of every HCP, as flat columns, and what each column uses of the shared limits.

Rules inside one HCP (contact limits, incompatible channels, gaps, pins) are spent here: a set that breaks one is never made.
What is left for prices and solver are the limits that several HCPs share.

Envelope: at most 62 channels, at most `MAX_SETS` allowed sets for one HCP (12 free channels without a contact limit, or
any 20 channels with a contact limit of 3).
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse

from optimization.problem import Limit, PlanInputError, Problem

MAX_SETS = 4096
CHUNK_CELLS = 4_000_000  # HCP x kind cells of one dense block: about 32 MB


@dataclass(frozen=True)
class HcpSets:
    """Allowed sets as columns, grouped by HCP, in a fixed order (fewer touches first, then by channel order).

    start (hcps + 1): HCP h owns columns start[h]..start[h+1]-1; hcp, kind (columns): owner and row of `masks`;
    masks (kinds): bit c set = channel c is touched; value (columns): V(S) in KPI units.
    An HCP without pins owns the empty set with value 0 as its first column; an HCP whose pins allow no set owns none.
    """

    channel_count: int
    start: np.ndarray
    hcp: np.ndarray
    kind: np.ndarray
    masks: np.ndarray
    value: np.ndarray
    pinned: np.ndarray

    @property
    def hcp_count(self) -> int:
        return len(self.start) - 1

    @property
    def column_count(self) -> int:
        return len(self.hcp)

    @cached_property
    def bits(self) -> np.ndarray:
        """(kinds, channels) 0/1: which channels a kind touches."""
        return mask_bits(self.masks, self.channel_count)

    def pairs_of(self, columns: np.ndarray) -> np.ndarray:
        """Sorted pair numbers of the sets in `columns`."""
        row, channel = np.nonzero(self.bits[self.kind[columns]])
        return np.sort(self.hcp[columns][row].astype(np.int64) * self.channel_count + channel)

    def columns_of(self, chosen: np.ndarray) -> np.ndarray:
        """One column per HCP that equals the chosen pairs; raises PlanInputError where the HCP's set is not an allowed one."""
        mask = np.zeros(self.hcp_count, dtype=np.int64)
        np.bitwise_or.at(mask, chosen // self.channel_count, np.int64(1) << (chosen % self.channel_count))
        hit = np.flatnonzero(self.masks[self.kind] == mask[self.hcp])
        if len(hit) != self.hcp_count:
            raise PlanInputError(f"{self.hcp_count - len(hit)} HCPs have a chosen set that their own rules do not allow")
        return hit


@dataclass(frozen=True)
class SharedLimits:
    """The limits of a problem against the columns: use = (features of the set) x coefficients, linear in prices.

    sign (limits): +1 for `max`, -1 for `min`; soft: shortfall allowed; features (kinds, F): channel bits, then one column per
    scope of a limit that counts HCPs (1 if the set touches the scope); coefficient: sparse (limits, hcps * F).
    """

    sign: np.ndarray
    bound: np.ndarray
    soft: np.ndarray
    features: np.ndarray
    coefficient: sparse.csr_matrix

    @property
    def count(self) -> int:
        return len(self.bound)

    @cached_property
    def scale(self) -> np.ndarray:
        """Largest coefficient of each limit, so that solver tolerances mean the same for minutes, money and touches."""
        top = np.asarray(abs(self.coefficient).max(axis=1).todense()).ravel() if self.coefficient.nnz else np.zeros(self.count)
        return np.where(top > 0, top, 1.0)

    def use_of(self, sets: HcpSets, columns: np.ndarray) -> sparse.csc_matrix:
        """(limits, len(columns)) use of each column."""
        return self.uses(self.coefficient, sets, columns)

    def uses(self, cells: sparse.csr_matrix, sets: HcpSets, columns: np.ndarray) -> sparse.csc_matrix:
        """(rows, len(columns)): what each column has of any rows over (HCP, feature) cells."""
        width = self.features.shape[1]
        position, feature = np.nonzero(self.features[sets.kind[columns]])
        rows = sets.hcp[columns][position].astype(np.int64) * width + feature
        pick = sparse.csc_matrix((np.ones(len(rows)), (rows, position)), shape=(sets.hcp_count * width, len(columns)))
        return sparse.csc_matrix(cells @ pick)

    def total_use(self, sets: HcpSets, columns: np.ndarray) -> np.ndarray:
        """(limits) use of all these columns together."""
        width = self.features.shape[1]
        position, feature = np.nonzero(self.features[sets.kind[columns]])
        cells = np.bincount(sets.hcp[columns][position].astype(np.int64) * width + feature, minlength=sets.hcp_count * width)
        return self.coefficient @ cells.astype(np.float64)

    def cost_per_feature(self, prices: np.ndarray) -> np.ndarray:
        """(hcps, F): what touching a feature costs an HCP at these prices (negative: a floor pays for it)."""
        return (self.coefficient.T @ (self.sign * prices)).reshape(-1, self.features.shape[1])


def mask_bits(masks: np.ndarray, channel_count: int) -> np.ndarray:
    """(masks, channels) 0/1 as float64."""
    return ((masks[:, None] >> np.arange(channel_count, dtype=np.int64)) & 1).astype(np.float64)


def build_sets(problem: Problem) -> HcpSets:
    """Enumerate the allowed sets; HCPs with the same eligible channels and the same own rules share one enumeration."""
    hcps, channels = len(problem.hcp_ids), len(problem.channels)
    if channels > 62:
        raise PlanInputError(f"{channels} channels are more than the planner holds (62)")
    eligible, pins = _hcp_mask(problem.eligible, hcps, channels), _pin_mask(problem, hcps, channels)
    pins &= eligible
    own, rules = _own_rules(problem, eligible)
    class_of, examples = _classes(eligible, pins, own)
    lists = [_allowed(problem, int(h), int(eligible[h]), int(pins[h]), [rules[r] for r in own[h]]) for h in examples]
    sizes = np.array([len(x) for x in lists], dtype=np.int64)
    flat = np.concatenate(lists) if lists else np.empty(0, dtype=np.int64)
    masks, kinds = np.unique(flat, return_inverse=True)
    start = np.concatenate([[0], np.cumsum(sizes[class_of])]).astype(np.int64) if hcps else np.zeros(1, dtype=np.int64)
    hcp = np.repeat(np.arange(hcps, dtype=np.int32), np.diff(start))
    first = (np.cumsum(sizes) - sizes)[class_of] if hcps else np.empty(0, dtype=np.int64)
    kind = kinds[first[hcp] + np.arange(len(hcp)) - start[hcp]].astype(np.int32)
    value = _set_values(problem, start, kind, masks)
    return HcpSets(channels, start, hcp, kind, masks, value, pins != 0)


def build_shared(problem: Problem, sets: HcpSets) -> SharedLimits:
    """The limits of a problem over these sets; pairs that are not eligible count nowhere."""
    channels, hcps = sets.channel_count, sets.hcp_count
    eligible = problem.eligible.astype(bool)
    scopes: dict[int, int] = {}
    rows, cells, data = [], [], []
    for number, limit in enumerate(problem.limits):
        pairs, coefficients = limit.entries(channels)
        keep = eligible[pairs]
        hcp, feature, coefficient = _limit_entries(limit, pairs[keep], coefficients[keep], channels, scopes)
        rows.append(np.full(len(hcp), number)), cells.append((hcp, feature)), data.append(coefficient)
    width = channels + len(scopes)
    touched = (sets.masks[:, None] & np.array(list(scopes), dtype=np.int64)[None, :]) != 0
    features = np.hstack([sets.bits, touched.astype(np.float64)])
    shape = (len(problem.limits), hcps * width)
    if rows:
        column = np.concatenate([h.astype(np.int64) * width + f for h, f in cells])
        matrix = sparse.csr_matrix((np.concatenate(data), (np.concatenate(rows), column)), shape=shape)
    else:
        matrix = sparse.csr_matrix(shape)
    sign = np.array([1.0 if x.side == "max" else -1.0 for x in problem.limits])
    bound = np.array([x.bound for x in problem.limits], dtype=np.float64)
    soft = np.array([x.hardness == "soft" for x in problem.limits], dtype=bool)
    return SharedLimits(sign, bound, soft, features, matrix)


def priced_values(sets: HcpSets, shared: SharedLimits, prices: np.ndarray) -> np.ndarray:
    """Priced value of every column: V(S) - sum of price x use (contract section 4), in KPI units."""
    if shared.count == 0 or not np.any(prices):
        return sets.value.copy()
    cost = shared.cost_per_feature(prices)
    priced = sets.value.copy()
    for hcps, columns in _chunks(sets.start, len(sets.masks)):
        dense = cost[hcps] @ shared.features.T
        priced[columns] -= dense[sets.hcp[columns] - hcps.start, sets.kind[columns]]
    return priced


def best_per_hcp(sets: HcpSets, priced: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(best priced value, first column reaching it) per HCP; every HCP must own a column."""
    if sets.hcp_count == 0:
        return np.empty(0), np.empty(0, dtype=np.int64)
    best = np.maximum.reduceat(priced, sets.start[:-1])
    hits = np.flatnonzero(priced == best[sets.hcp])
    return best, hits[np.searchsorted(sets.hcp[hits], np.arange(sets.hcp_count))]


def _limit_entries(
    limit: Limit, pairs: np.ndarray, coefficients: np.ndarray, channels: int, scopes: dict[int, int]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(hcp, feature, coefficient) of one limit; scopes of several channels get their own feature number in `scopes`."""
    hcp, channel = pairs // channels, pairs % channels
    if limit.counts == "touches":
        return hcp, channel, coefficients
    members, inverse = np.unique(hcp, return_inverse=True)
    mask = np.zeros(len(members), dtype=np.int64)
    np.bitwise_or.at(mask, inverse, np.int64(1) << channel)
    distinct, which = np.unique(mask, return_inverse=True)
    numbers = []
    for scope in distinct.tolist():
        single = scope & (scope - 1) == 0
        numbers.append(scope.bit_length() - 1 if single else channels + scopes.setdefault(scope, len(scopes)))
    return members, np.array(numbers, dtype=np.int64)[which], np.ones(len(members))


def _hcp_mask(flags: np.ndarray, hcps: int, channels: int) -> np.ndarray:
    grid = np.asarray(flags, dtype=bool).reshape(hcps, channels)
    return (grid.astype(np.int64) << np.arange(channels, dtype=np.int64)).sum(axis=1, dtype=np.int64)


def _pin_mask(problem: Problem, hcps: int, channels: int) -> np.ndarray:
    flags = np.zeros(problem.pair_count, dtype=bool)
    flags[problem.pins] = True
    return _hcp_mask(flags, hcps, channels)


def _own_rules(problem: Problem, eligible: np.ndarray) -> tuple[list[list[int]], list[tuple[int, int]]]:
    """Rules inside one HCP as (channel mask, upper): per HCP the numbers of the rules that can bind, and the distinct rules."""
    channels = len(problem.channels)
    parts = []
    for cap in problem.caps:
        group = np.asarray(cap.group, dtype=np.int64)
        mask, owner = np.zeros(len(cap.upper), dtype=np.int64), np.full(len(cap.upper), -1, dtype=np.int64)
        np.bitwise_or.at(mask, group, np.int64(1) << (cap.pairs % channels))
        owner[group] = cap.pairs // channels
        parts.append(np.column_stack([owner, mask, np.floor(np.asarray(cap.upper, dtype=np.float64) + 1e-9).astype(np.int64)]))
    for rule in problem.exclusive:
        members = np.asarray(rule.members, dtype=np.int64)
        if members.size:
            mask = np.bitwise_or.reduce(np.int64(1) << (members % channels), axis=1)
            # a set may hold all but one of the members, unless one of them is not eligible anyway
            parts.append(np.column_stack([members[:, 0] // channels, mask, np.bitwise_count(mask).astype(np.int64) - 1]))
    table = np.concatenate(parts) if parts else np.empty((0, 3), dtype=np.int64)
    table = table[table[:, 0] >= 0]
    table[:, 1] &= eligible[table[:, 0]]
    table = np.unique(table[np.bitwise_count(table[:, 1]) > table[:, 2]], axis=0)
    distinct, number = np.unique(table[:, 1:], axis=0, return_inverse=True)
    edges = np.searchsorted(table[:, 0], np.arange(len(eligible) + 1))
    numbers = number.ravel().tolist()
    return [numbers[a:b] for a, b in itertools.pairwise(edges)], [(int(m), int(u)) for m, u in distinct]


def _classes(eligible: np.ndarray, pins: np.ndarray, own: list[list[int]]) -> tuple[np.ndarray, list[int]]:
    """Class number per HCP and one example HCP per class."""
    seen: dict[tuple[int, int, tuple[int, ...]], int] = {}
    examples: list[int] = []
    class_of = np.empty(len(eligible), dtype=np.int64)
    for hcp, key in enumerate(zip(eligible.tolist(), pins.tolist(), map(tuple, own), strict=True)):
        number = seen.setdefault(key, len(examples))
        if number == len(examples):
            examples.append(hcp)
        class_of[hcp] = number
    return class_of, examples


def _allowed(problem: Problem, hcp: int, eligible: int, pins: int, rules: list[tuple[int, int]]) -> np.ndarray:
    """Masks of the allowed sets that hold the pins. Own rules are upper limits, so a broken set has no allowed superset:
    sets grow by one channel at a time (in channel order) and broken ones are dropped at once."""

    def holds(mask: int) -> bool:
        return all((mask & scope).bit_count() <= upper for scope, upper in rules)

    free = [c for c in range(len(problem.channels)) if eligible >> c & 1 and not pins >> c & 1]
    level = [(pins, 0)] if holds(pins) else []
    found: list[int] = []
    while level:
        found.extend(mask for mask, _ in level)
        if len(found) > MAX_SETS:
            raise PlanInputError(
                f"hcp_id {problem.hcp_ids[hcp]} has more than {MAX_SETS} allowed sets of channels ({len(free)} free channels); "
                "add a row to rule_contact_limit with max_actions of 3 or less"
            )
        grown = ((mask | 1 << free[i], i + 1) for mask, first in level for i in range(first, len(free)))
        level = [(mask, following) for mask, following in grown if holds(mask)]
    return np.array(sorted(found, key=lambda mask: (mask.bit_count(), mask)), dtype=np.int64)


def _set_values(problem: Problem, start: np.ndarray, kind: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """V(S) of every column: sum of values less overlap x sum over pairs of channels of the smaller positive value."""
    hcps, channels = len(problem.hcp_ids), len(problem.channels)
    grid = np.where(problem.eligible, problem.value, 0.0).reshape(hcps, channels)
    bits = mask_bits(masks, channels)
    left, right = np.triu_indices(channels, 1)
    both = bits[:, left] * bits[:, right]
    value = np.empty(len(kind))
    owner = np.repeat(np.arange(hcps), np.diff(start))
    for rows, columns in _chunks(start, len(masks)):
        positive = np.maximum(grid[rows], 0.0)
        dense = grid[rows] @ bits.T
        if len(left) and problem.settings.overlap:
            dense -= problem.settings.overlap * (np.minimum(positive[:, left], positive[:, right]) @ both.T)
        value[columns] = dense[owner[columns] - rows.start, kind[columns]]
    return value


def _chunks(start: np.ndarray, kinds: int) -> list[tuple[slice, slice]]:
    """Blocks of HCPs whose dense HCP x kind table stays small: (HCP slice, column slice)."""
    step, hcps = max(1, CHUNK_CELLS // max(kinds, 1)), len(start) - 1
    edges = [*list(range(0, hcps, step)), hcps] if hcps else [0]
    return [(slice(a, b), slice(int(start[a]), int(start[b]))) for a, b in itertools.pairwise(edges)]
