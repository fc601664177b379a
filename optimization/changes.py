"""Candidates for change of a plan made of block plans, and where more of them come from: the same blocks at tilted prices.

Where there are very many blocks, what their plans miss of a wide limit is more than single HCPs can put right: reps whose time is full
can only call more if they visit less. At prices a little higher where too much is used, and lower where some is left, a block's best plan
does just that, and costs next to nothing (the loss is of second order in the tilt).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from optimization.blocks import BlockPass, Blocks, wide_use

TILTED_BLOCKS = 4  # every fourth block is asked
TILTS = (0.01, 0.03)
STEPS, STATES = 10, 500


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
    """Best plans of some blocks with the wide prices tilted against what the plan misses, as changes of it; groups are -1 - block."""
    shared = blocks.pricing.shared
    numbers = np.arange(0, blocks.count, TILTED_BLOCKS)
    some = blocks.some(numbers)
    side = np.where(blocks.wide, np.sign(shared.sign * (shared.total_use(blocks.pricing.sets, plan.columns) - shared.bound)), 0.0)
    parts = []
    for tilt in TILTS:
        price = np.minimum(plan.price * (1.0 + tilt * side), loosening_cost)
        found = some.solve(price, loosening_cost, STEPS, np.zeros(some.count), STATES, 1)
        parts.append(differences(some, numbers, plan, found.columns, found.unsolved, loosening_cost))
    return joined(parts)


def joined(parts: Sequence[Changes]) -> Changes:
    """All these candidates, in their order."""
    edges = np.cumsum([0, *(part.edge[-1] for part in parts)])
    return Changes(
        np.concatenate([part.group for part in parts]),
        np.concatenate([part.gain for part in parts]),
        sparse.csc_matrix(sparse.hstack([part.use for part in parts], format="csc")),
        np.concatenate([[0], *(part.edge[1:] + edge for part, edge in zip(parts, edges[:-1], strict=True))]),
        np.concatenate([part.hcp for part in parts]),
        np.concatenate([part.column for part in parts]),
    )


def differences(
    some: Blocks, numbers: np.ndarray, plan: BlockPass, columns: np.ndarray, unsolved: np.ndarray, loosening_cost: np.ndarray
) -> Changes:
    """What other plans of some blocks (columns of all HCPs; unsolved blocks have none) change in the plan, block by block: block `b` of
    `some` is block numbers[b] of all."""
    sets = some.pricing.sets
    hcp = some.hcp[(columns != plan.columns)[some.hcp] & ~unsolved[some.label[some.hcp]]]
    block, length = np.unique(some.label[hcp], return_counts=True)
    old, new = plan.columns[hcp], columns[hcp]
    use = summed(wide_use(some, new) - wide_use(some, old), length)
    gain = np.add.reduceat(sets.value_of(new) - sets.value_of(old), np.cumsum(length) - length) if len(block) else np.empty(0)
    gain = gain - (_penalties(some, columns, loosening_cost) - _penalties(some, plan.columns, loosening_cost))[block]
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
