"""Candidates for change of a plan made of block plans, and where more of them come from: the same blocks at tilted prices.

Where there are very many blocks, what their plans miss of a wide limit is more than single HCPs can put right: reps whose time is full
can only call more if they visit less. At a price a little higher or lower a block's best plan does just that, and costs next to nothing
(the loss is of second order in the tilt).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from optimization.blocks import BlockPass, Blocks, wide_use

TILTED_BLOCKS = 400
TILTS = (0.95, 1.05)
TILTED_LIMITS = 8  # the wide limits with the largest price x bound
STEPS, STATES = 10, 2000


@dataclass(frozen=True)
class Changes:
    """Candidates: group (block or HCP, at most one change each), gain in KPI units (value less penalties of own limits), use
    (wide limits, candidates) signed and scaled, edge/hcp/column: what each changes."""

    group: np.ndarray
    gain: np.ndarray
    use: sparse.csc_matrix
    edge: np.ndarray
    hcp: np.ndarray
    column: np.ndarray


def summed(use: sparse.csr_matrix, length: np.ndarray) -> sparse.csc_matrix:
    """Columns summed by change: `length` columns each."""
    member = np.repeat(np.arange(len(length)), length)
    gather = sparse.csr_matrix((np.ones(len(member)), (np.arange(len(member)), member)), shape=(len(member), len(length)))
    return sparse.csc_matrix(use @ gather)


def tilted_plans(blocks: Blocks, plan: BlockPass, loosening_cost: np.ndarray) -> Changes:
    """Best plans of some blocks with one wide price a little higher or lower, as changes of `plan`; groups are -1 - block."""
    shared = blocks.pricing.shared
    numbers = np.unique(np.linspace(0, blocks.count - 1, min(blocks.count, TILTED_BLOCKS)).astype(np.int64))
    some = blocks.some(numbers)
    weight = np.where(blocks.wide, plan.price * np.abs(shared.bound), 0.0)
    active = [n for n in np.argsort(-weight, kind="stable")[:TILTED_LIMITS].tolist() if plan.price[n] > 0]
    parts = []
    for number in active:
        for tilt in TILTS:
            price = plan.price.copy()
            price[number] = min(tilt * price[number], loosening_cost[number])
            found = some.solve(price, loosening_cost, STEPS, np.zeros(some.count), STATES, 1)
            parts.append(_differences(some, numbers, plan, found, loosening_cost))
    empty = np.empty(0, dtype=np.int64)
    if not parts:
        return Changes(empty, np.empty(0), sparse.csc_matrix((int(blocks.wide.sum()), 0)), np.zeros(1, dtype=np.int64), empty, empty)
    edges = np.cumsum([0, *(part.edge[-1] for part in parts)])
    return Changes(
        np.concatenate([part.group for part in parts]),
        np.concatenate([part.gain for part in parts]),
        sparse.csc_matrix(sparse.hstack([part.use for part in parts], format="csc")),
        np.concatenate([[0], *(part.edge[1:] + edge for part, edge in zip(parts, edges[:-1], strict=True))]),
        np.concatenate([part.hcp for part in parts]),
        np.concatenate([part.column for part in parts]),
    )


def _differences(some: Blocks, numbers: np.ndarray, plan: BlockPass, found: BlockPass, loosening_cost: np.ndarray) -> Changes:
    """What the plans found change in the plan, block by block."""
    sets = some.pricing.sets
    hcp = some.hcp[(found.columns != plan.columns)[some.hcp] & ~found.unsolved[some.label[some.hcp]]]
    block, length = np.unique(some.label[hcp], return_counts=True)
    old, new = plan.columns[hcp], found.columns[hcp]
    use = summed(wide_use(some, new) - wide_use(some, old), length)
    gain = np.add.reduceat(sets.value_of(new) - sets.value_of(old), np.cumsum(length) - length) if len(block) else np.empty(0)
    gain = gain - (_penalties(some, found.columns, loosening_cost) - _penalties(some, plan.columns, loosening_cost))[block]
    return Changes(-1 - numbers[block], gain, use, np.concatenate([[0], np.cumsum(length)]), hcp, new)


def _penalties(some: Blocks, columns: np.ndarray, loosening_cost: np.ndarray) -> np.ndarray:
    """(blocks) what the blocks' own soft limits are missed by, in KPI units."""
    shared, soft = some.pricing.shared, np.flatnonzero(some.pricing.shared.soft[some.row])
    found = np.zeros(some.count)
    if len(soft):
        rows = some.row[soft]
        use = np.asarray(shared.use_of(some.pricing.sets, columns[some.hcp], shared.coefficient[rows]).sum(axis=1)).ravel()
        short = np.maximum(shared.sign[rows] * (use - shared.bound[rows]), 0.0) * loosening_cost[rows]
        np.add.at(found, np.searchsorted(some.row_start, soft, side="right") - 1, short)
    return found
