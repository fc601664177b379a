"""From the best plans of the blocks to a plan that keeps the wide limits too: which near-best changes to take.

The blocks' best plans together miss wide limits by a little, or leave a little of them unused. Candidates for change are other plans
of a block that cost next to nothing (`Alternatives`) and other sets of single HCPs that use nothing more of the limits of their own
block; a small integer program picks among them, at most one per block and per HCP, under the exact wide limits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from optimization.blocks import BlockPass, Blocks, wide_use
from optimization.problem import PlanSettings
from optimization.program import run_model
from optimization.restricted import Restricted
from optimization.tallies import no_tallies

NODES = 200


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


def choose(
    blocks: Blocks,
    plan: BlockPass,
    loosening_cost: np.ndarray,
    most: int,
    tolerance: float,
    settings: PlanSettings,
) -> np.ndarray | None:
    """Columns (hcps) of the best plan found among `most` changes of each sort, None where none keeps the wide limits.

    tolerance: KPI units that may stay open.
    """
    shared, sets = blocks.pricing.shared, blocks.pricing.sets
    short = np.maximum(shared.sign * (shared.total_use(sets, plan.columns) - shared.bound), 0.0)
    own = shared.soft & ~blocks.wide
    total = float(sets.value_of(plan.columns).sum() - (short[own] * loosening_cost[own]).sum())
    number = np.flatnonzero(blocks.wide)
    price = plan.price[number] * shared.scale[number]
    changes = _joined(_of_blocks(blocks, plan, price, most), _of_hcps(blocks, plan, most))
    used = (shared.sign * shared.total_use(sets, plan.columns) / shared.scale)[number]
    rest = shared.sign[number] * shared.bound[number] / shared.scale[number] - used
    group, owner = np.unique(changes.group, return_inverse=True)
    groups = len(group)
    if groups == 0:
        return None
    # option 0 of every group: stay as it is
    order = np.argsort(np.concatenate([np.arange(groups), owner]), kind="stable")
    value = np.concatenate([np.zeros(groups), changes.gain])[order]
    use = sparse.csc_matrix(sparse.hstack([sparse.csc_matrix((len(number), groups)), changes.use], format="csc")[:, order])
    use.sort_indices()
    part = Restricted(
        np.empty(0, dtype=np.int64), order, np.concatenate([np.arange(groups), owner])[order], groups, value, use, rest, total
    )
    ceiling = loosening_cost[number] * shared.scale[number]
    plain = no_tallies(len(number), len(order))
    picked, _, _ = run_model(part, ceiling, plain, tolerance, NODES, settings.seed, presolve=False)
    if picked is None:
        return None
    taken = order[picked]
    taken = taken[taken >= groups] - groups
    columns = plan.columns.copy()
    for change in taken.tolist():
        span = slice(changes.edge[change], changes.edge[change + 1])
        columns[changes.hcp[span]] = changes.column[span]
    return columns


def _joined(first: Changes, second: Changes) -> Changes:
    return Changes(
        np.concatenate([first.group, second.group]),
        np.concatenate([first.gain, second.gain]),
        sparse.csc_matrix(sparse.hstack([first.use, second.use], format="csc")),
        np.concatenate([first.edge, second.edge[1:] + first.edge[-1]]),
        np.concatenate([first.hcp, second.hcp]),
        np.concatenate([first.column, second.column]),
    )


def _of_blocks(blocks: Blocks, plan: BlockPass, price: np.ndarray, most: int) -> Changes:
    """The cheapest other plans of blocks; groups are -1 - block."""
    sets, near = blocks.pricing.sets, plan.alternatives
    keep = np.sort(np.argsort(near.cost, kind="stable")[:most])
    length = np.diff(near.edge)[keep]
    edge = np.concatenate([[0], np.cumsum(length)])
    at = np.repeat(near.edge[:-1][keep] - edge[:-1], length) + np.arange(edge[-1])
    hcp = near.hcp[at]
    column = sets.start[hcp] + near.place[at]
    use = _summed(wide_use(blocks, column) - wide_use(blocks, plan.columns[hcp]), length)
    gain = -near.cost[keep] + np.asarray(use.T @ price).ravel()
    return Changes(-1 - near.block[keep], gain, use, edge, hcp, column)


def _of_hcps(blocks: Blocks, plan: BlockPass, most: int) -> Changes:
    """Other sets of single HCPs that use nothing more of their block's own limits; HCPs that a block's other plan changes stay out."""
    sets, shared, pricing = blocks.pricing.sets, blocks.pricing.shared, blocks.pricing
    best, _ = pricing.best(plan.price)
    column, _, _ = pricing.above(plan.price, best - pricing.nearest(plan.price, best, sets.hcp_count + 2 * most))
    hcp = sets.owner_of(column)
    busy = np.zeros(sets.hcp_count, dtype=bool)
    busy[plan.alternatives.hcp] = True
    keep = (column != plan.columns[hcp]) & ~busy[hcp]
    column, hcp = column[keep], hcp[keep]
    own = sparse.csr_matrix(sparse.diags((shared.sign * ~blocks.wide)[~blocks.wide]) @ shared.coefficient[np.flatnonzero(~blocks.wide)])
    more = shared.use_of(sets, column, own) - shared.use_of(sets, plan.columns[hcp], own)
    fits = np.asarray((more > 1e-9).sum(axis=0)).ravel() == 0
    column, hcp = column[fits], hcp[fits]
    gain = sets.value_of(column) - sets.value_of(plan.columns[hcp])
    use = sparse.csc_matrix(wide_use(blocks, column) - wide_use(blocks, plan.columns[hcp]))
    cost = use.T @ (plan.price * shared.scale)[blocks.wide] - gain
    keep = np.sort(np.argsort(cost, kind="stable")[:most])
    return Changes(hcp[keep], gain[keep], use[:, keep], np.arange(len(keep) + 1), hcp[keep], column[keep])


def _summed(use: sparse.csr_matrix, length: np.ndarray) -> sparse.csc_matrix:
    """Columns summed by change: `length` columns each."""
    member = np.repeat(np.arange(len(length)), length)
    gather = sparse.csr_matrix((np.ones(len(member)), (np.arange(len(member)), member)), shape=(len(member), len(length)))
    return sparse.csc_matrix(use @ gather)
