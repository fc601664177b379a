"""Reps apart: groups of HCPs that share only a few wide limits, each solved as an integer problem of its own.

Wide limits (a total budget, a channel's capacity) are priced, every other limit stays exact inside its block (Lagrangian
decomposition; Geoffrion 1974). Two things come of it: an upper bound at most as high as price_bound,
    sum over blocks of the block's exact optimum at the wide prices + sum over wide limits of sign x price x bound,
and one column per HCP that fills every rep's time exactly, the core of a good plan.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse

from optimization.shared import Pricing

BLOCK_HCPS = 1000  # a block may grow to so many HCPs, a large territory; a limit that would join more is wide
MOST_ROWS = 24  # and to so many limits of its own


@dataclass(frozen=True)
class Alternatives:
    """Whole plans of blocks near their best one. block, cost (alternatives): cost over the best plan in KPI units at the wide prices;
    edge (alternatives + 1), hcp, place: the HCPs that have another set than in the best plan, and which."""

    block: np.ndarray
    cost: np.ndarray
    edge: np.ndarray
    hcp: np.ndarray
    place: np.ndarray


@dataclass(frozen=True)
class BlockPass:
    """One pass. price (limits): with the blocks' own prices as improved; columns (hcps): the plan; bound: proven upper bound of the whole;
    unsolved (blocks): no plan was found that keeps the block's limits; its columns are the best ones at the prices."""

    price: np.ndarray
    columns: np.ndarray
    bound: float
    unsolved: np.ndarray
    alternatives: Alternatives


@dataclass(frozen=True)
class Blocks:
    """label (hcps): block of each HCP, -1 for HCPs without a limit of their own; wide (limits); hcp: HCPs by block from hcp_start[b] on;
    row: limits by block from row_start[b] on; whole: these are all blocks."""

    pricing: Pricing
    label: np.ndarray
    wide: np.ndarray
    hcp_start: np.ndarray
    hcp: np.ndarray
    row_start: np.ndarray
    row: np.ndarray
    whole: bool = True

    def some(self, numbers: np.ndarray) -> Blocks:
        """These blocks only; a pass over them says nothing of the other HCPs, and its bound means nothing."""
        hcps = [self.hcp[self.hcp_start[b] : self.hcp_start[b + 1]] for b in numbers.tolist()]
        rows = [self.row[self.row_start[b] : self.row_start[b + 1]] for b in numbers.tolist()]
        hcp, label = np.concatenate(hcps), np.full(len(self.label), -1)
        label[hcp] = np.repeat(np.arange(len(numbers)), [len(x) for x in hcps])
        hcp_start, row_start = (np.concatenate([[0], np.cumsum([len(x) for x in parts])]).astype(np.int64) for parts in (hcps, rows))
        return Blocks(self.pricing, label, self.wide, hcp_start, hcp, row_start, np.concatenate(rows), whole=False)

    @property
    def count(self) -> int:
        return len(self.hcp_start) - 1

    @cached_property
    def _own(self) -> tuple[np.ndarray, np.ndarray]:
        """(first entry per profile, entries): (features, rows of the block) what a feature uses, sign turned and over the limit's scale,
        so that the search's tolerances mean the same in any unit."""
        shared = self.pricing.shared
        width = shared.width
        block = np.full(shared.profile_count, -1)
        block[shared.profile[self.hcp]] = self.label[self.hcp]
        rows = np.diff(self.row_start)
        size = np.where(block >= 0, width * rows[block], 0) if self.count else np.zeros(shared.profile_count, dtype=np.int64)
        first = np.concatenate([[0], np.cumsum(size)])
        entries = np.zeros(first[-1])
        place = np.full(shared.count, -1)
        place[self.row] = np.arange(len(self.row)) - np.repeat(self.row_start[:-1], rows)
        matrix = shared.coefficient.tocoo()
        mine = place[matrix.row] >= 0
        cell, row = matrix.col[mine].astype(np.int64), matrix.row[mine]
        profile, feature = cell // width, cell % width
        np.add.at(
            entries, first[profile] + feature * rows[block[profile]] + place[row], shared.sign[row] / shared.scale[row] * matrix.data[mine]
        )
        return first[:-1].astype(np.int64), entries

    def solve(
        self,
        price: np.ndarray,
        ceiling: np.ndarray,
        steps: int,
        spread: np.ndarray,
        most_states: int,
        alternatives: int,
        enough: float = 1e-7,
    ) -> BlockPass:
        """Every block at these prices (limits); steps: tries to improve the blocks' own prices first, fewer where one would lower a
        block's bound by no more than the share `enough`; spread (blocks): KPI units within
        which other plans of a block are of interest; most_states: where the search in a block begins to give states up (0: own prices
        only, no search); alternatives: other plans of a block at most."""
        from optimization.block_kernel import solve_blocks
        from optimization.kernels import in_parts

        sets, shared = self.pricing.sets, self.pricing.shared
        priced = price.copy()
        alone = (self.label < 0) & self.whole
        best, columns = self.pricing.best(price) if alone.any() else (np.empty(0), sets.start[:-1])
        scale = shared.scale[self.row]
        own, y = shared.sign[self.row] * shared.bound[self.row] / scale, price[self.row] * scale
        place = columns - sets.start[:-1]
        level, proven = np.zeros(self.count), np.zeros(self.count)
        number, longest = np.zeros(self.count, dtype=np.int64), 40
        cost = np.zeros((self.count, alternatives))
        length = np.zeros((self.count, alternatives), dtype=np.int64)
        hcp, change = (np.zeros((self.count, alternatives, longest), dtype=np.int32) for _ in range(2))
        terms = self.pricing.terms(np.where(self.wide, price, 0.0))
        blocks = (self.hcp_start, self.hcp, self.row_start, own, ceiling[self.row] * scale, *self._own)
        asked, others = (y, steps, enough, spread, most_states, place, level, proven), (number, cost, length, hcp, change)
        in_parts(lambda a, b: solve_blocks(sets.kernel, terms, blocks, a, b, *asked, others), self.count, sets.threads, 8)
        priced[self.row] = y / scale
        bound = math.fsum([*best[alone[: len(best)]].tolist(), *(level - np.where(np.isfinite(proven), proven, 0.0)).tolist()])
        bound += math.fsum((shared.sign * price * shared.bound)[self.wide].tolist())
        found = _alternatives(number, cost, length, hcp, change)
        return BlockPass(priced, sets.start[:-1] + place, bound, number < 0, found)


def _alternatives(number: np.ndarray, cost: np.ndarray, length: np.ndarray, hcp: np.ndarray, place: np.ndarray) -> Alternatives:
    valid = np.arange(cost.shape[1])[None, :] < number[:, None]
    inside = valid[:, :, None] & (np.arange(hcp.shape[2])[None, None, :] < length[:, :, None])
    edge = np.concatenate([[0], np.cumsum(length[valid])])
    return Alternatives(np.nonzero(valid)[0], cost[valid], edge, hcp[inside].astype(np.int64), place[inside].astype(np.int64))


def partition(pricing: Pricing) -> Blocks:
    """The blocks: limits with few HCPs are joined first, as long as blocks stay small; what would join more is wide."""
    sets, shared = pricing.sets, pricing.shared
    size = np.bincount(shared.profile, minlength=shared.profile_count)
    indptr, profile = shared.coefficient.indptr, shared.coefficient.indices // shared.width
    members = [np.unique(profile[a:b]) for a, b in itertools.pairwise(indptr.tolist())]
    reach = np.array([size[m].sum() for m in members], dtype=np.int64)
    label = np.arange(shared.profile_count)
    held: dict[int, tuple[np.ndarray, int, int]] = {}  # block: its profiles, HCPs, limits
    wide = np.zeros(shared.count, dtype=bool)
    for number in np.lexsort((np.arange(shared.count), reach)).tolist():
        if reach[number] > BLOCK_HCPS or len(members[number]) == 0:
            wide[number] = True
            continue
        roots = np.unique(label[members[number]]).tolist()
        parts = [held.get(root) or (np.array([root]), int(size[root]), 0) for root in roots]
        hcps, rows = sum(p[1] for p in parts), sum(p[2] for p in parts) + 1
        if hcps > BLOCK_HCPS or rows > MOST_ROWS:
            wide[number] = True
            continue
        joined = np.concatenate([p[0] for p in parts])
        label[joined] = roots[0]
        for root in roots[1:]:
            held.pop(root, None)
        held[roots[0]] = (joined, hcps, rows)
    roots = np.array(sorted(held), dtype=np.int64)
    number = np.full(shared.profile_count, -1)
    number[roots] = np.arange(len(roots))
    block = number[label]
    of_hcp = block[shared.profile] if sets.hcp_count else np.empty(0, dtype=np.int64)
    inside = np.flatnonzero(of_hcp >= 0)
    hcp = inside[np.argsort(of_hcp[inside], kind="stable")]
    hcp_start = np.searchsorted(of_hcp[hcp], np.arange(len(roots) + 1))
    own = np.flatnonzero(~wide)
    row_block = np.array([block[members[n][0]] for n in own.tolist()], dtype=np.int64)
    order = np.argsort(row_block, kind="stable")
    row_start = np.searchsorted(row_block[order], np.arange(len(roots) + 1))
    return Blocks(pricing, of_hcp, wide, hcp_start.astype(np.int64), hcp.astype(np.int64), row_start.astype(np.int64), own[order])


def wide_use(blocks: Blocks, columns: np.ndarray) -> sparse.csr_matrix:
    """(wide limits, columns) use of the wide limits, sign turned and divided by their scale."""
    shared = blocks.pricing.shared
    number = np.flatnonzero(blocks.wide)
    scaled = sparse.diags(shared.sign[number] / shared.scale[number]) @ shared.coefficient[number]
    return sparse.csr_matrix(shared.use_of(blocks.pricing.sets, columns, sparse.csr_matrix(scaled)))
