"""From the best plans of the blocks to a plan that keeps the wide limits too: which near-best changes to take.

The blocks' best plans together miss wide limits by a little, or leave a little of them unused. Candidates for change are other plans
of a block that cost next to nothing (`Alternatives`) and other sets of single HCPs that use nothing more of the limits of their own
block; a small integer program picks among them, at most one per block and per HCP, under the exact wide limits.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import sparse

from optimization.blocks import BlockPass, Blocks, wide_use
from optimization.changes import Changes, differences, joined, summed, tilted_plans
from optimization.problem import PlanSettings
from optimization.program import run_model
from optimization.restricted import Restricted
from optimization.tallies import no_tallies

NODES = 200
AT_ONCE = 5000  # changes up to which the integer program looks at all
OPEN_GROUPS = 800  # blocks and HCPs that stay open after a linear program where there are more


def choose(
    blocks: Blocks,
    plan: BlockPass,
    loosening_cost: np.ndarray,
    most: int,
    tolerance: float,
    settings: PlanSettings,
    earlier: Sequence[np.ndarray] = (),
    tilted: bool = False,
) -> np.ndarray | None:
    """Columns (hcps) of the best plan found among `most` changes of each sort, None where none keeps the wide limits.

    tolerance: KPI units that may stay open; earlier: columns of passes before, whose plans any block may take back; tilted: look also at
    plans of blocks at other prices (`changes.py`).
    """
    shared, sets = blocks.pricing.shared, blocks.pricing.sets
    short = np.maximum(shared.sign * (shared.total_use(sets, plan.columns) - shared.bound), 0.0)
    own = shared.soft & ~blocks.wide
    total = float(sets.value_of(plan.columns).sum() - (short[own] * loosening_cost[own]).sum())
    number = np.flatnonzero(blocks.wide)
    price = plan.price[number] * shared.scale[number]
    parts = [_of_blocks(blocks, plan, price, most)]
    for columns in earlier:
        parts.append(differences(blocks, np.arange(blocks.count), plan, columns, np.zeros(blocks.count, dtype=bool), loosening_cost))
    if tilted:
        parts.append(tilted_plans(blocks, plan, loosening_cost))
    # an HCP is changed by plans of its block or alone, never by both: uses would not add up
    changes = joined([*parts, _of_hcps(blocks, plan, np.concatenate([plan.alternatives.hcp, *(part.hcp for part in parts)]), most)])
    used = (shared.sign * shared.total_use(sets, plan.columns) / shared.scale)[number]
    rest = shared.sign[number] * shared.bound[number] / shared.scale[number] - used
    if len(changes.gain) == 0:
        return None
    ceiling = loosening_cost[number] * shared.scale[number]
    settled = np.zeros(len(changes.gain), dtype=bool)
    left = np.ones(len(changes.gain), dtype=bool)
    if len(changes.gain) > AT_ONCE:
        found = _settled(changes, rest, ceiling)
        if found is None:
            return None
        settled, left = found
    picked = _picked(
        changes,
        left,
        rest - np.asarray(changes.use[:, settled].sum(axis=1)).ravel(),
        ceiling,
        total + changes.gain[settled].sum(),
        tolerance,
        settings,
    )
    if picked is None:
        return None
    columns = plan.columns.copy()
    for change in [*np.flatnonzero(settled).tolist(), *picked.tolist()]:
        span = slice(changes.edge[change], changes.edge[change + 1])
        columns[changes.hcp[span]] = changes.column[span]
    return columns


def _picked(
    changes: Changes, left: np.ndarray, rest: np.ndarray, ceiling: np.ndarray, total: float, tolerance: float, settings: PlanSettings
) -> np.ndarray | None:
    """The changes that the integer program takes among those `left`; rest (wide limits): what they may use together."""
    number = np.flatnonzero(left)
    group, owner = np.unique(changes.group[number], return_inverse=True)
    groups = len(group)
    # option 0 of every group: stay as it is
    order = np.argsort(np.concatenate([np.arange(groups), owner]), kind="stable")
    value = np.concatenate([np.zeros(groups), changes.gain[number]])[order]
    stay = sparse.csc_matrix((len(rest), groups))
    use = sparse.csc_matrix(sparse.hstack([stay, changes.use[:, number]], format="csc")[:, order])
    use.sort_indices()
    owners = np.concatenate([np.arange(groups), owner])[order]
    part = Restricted(np.empty(0, dtype=np.int64), order, owners, groups, value, use, rest, total)
    picked, _, _ = run_model(part, ceiling, no_tallies(len(rest), len(order)), tolerance, NODES, settings.seed, presolve=False)
    if picked is None:
        return None
    taken = order[picked]
    return number[taken[taken >= groups] - groups]


def _settled(changes: Changes, rest: np.ndarray, ceiling: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """(changes to take, changes left open) of very many: the linear program takes or leaves all but a few groups as whole ones, and of
    those the `OPEN_GROUPS` that it was least sure of stay open. None where not even fractions keep the wide limits."""
    import highspy

    groups, owner, size = np.unique(changes.group, return_inverse=True, return_counts=True)
    several = np.flatnonzero(size > 1)
    row = np.full(len(groups), -1)
    row[several] = np.arange(len(several))
    mine = np.flatnonzero(row[owner] >= 0)
    one = sparse.csc_matrix((np.ones(len(mine)), (row[owner[mine]], mine)), shape=(len(several), len(owner)))
    loose = np.flatnonzero(np.isfinite(ceiling))
    missing = sparse.csc_matrix((-np.ones(len(loose)), (loose, np.arange(len(loose)))), shape=(len(rest) + len(several), len(loose)))
    matrix = sparse.hstack([sparse.vstack([changes.use, one]), missing], format="csc")
    unit = float(np.abs(changes.gain).max()) or 1.0
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_, lp.sense_ = matrix.shape[1], matrix.shape[0], highspy.ObjSense.kMaximize
    lp.col_cost_ = np.concatenate([changes.gain, -ceiling[loose]]) / unit
    lp.col_lower_ = np.zeros(lp.num_col_)
    lp.col_upper_ = np.concatenate([np.ones(len(owner)), np.full(len(loose), highspy.kHighsInf)])
    lp.row_lower_ = np.full(lp.num_row_, -highspy.kHighsInf)
    lp.row_upper_ = np.concatenate([rest, np.ones(len(several))])
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = matrix.indptr, matrix.indices, matrix.data
    solver = highspy.Highs()
    for name, setting in {"output_flag": False, "threads": 1, "solver": "simplex", "presolve": "off"}.items():
        solver.setOptionValue(name, setting)
    solver.passModel(lp)
    solver.run()
    if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return None
    solution = solver.getSolution()
    share, doubt = np.array(solution.col_value)[: len(owner)], np.abs(np.array(solution.col_dual))[: len(owner)]
    least = np.full(len(groups), np.inf)
    np.minimum.at(least, owner, np.where((share > 1e-7) & (share < 1 - 1e-7), -1.0, doubt))
    open_ = np.zeros(len(groups), dtype=bool)
    open_[np.argsort(least, kind="stable")[:OPEN_GROUPS]] = True
    left = open_[owner]
    return (share > 0.5) & ~left, left


def _of_blocks(blocks: Blocks, plan: BlockPass, price: np.ndarray, most: int) -> Changes:
    """The cheapest other plans of blocks; groups are -1 - block."""
    sets, near = blocks.pricing.sets, plan.alternatives
    keep = np.sort(np.argsort(near.cost, kind="stable")[:most])
    length = np.diff(near.edge)[keep]
    edge = np.concatenate([[0], np.cumsum(length)])
    at = np.repeat(near.edge[:-1][keep] - edge[:-1], length) + np.arange(edge[-1])
    hcp = near.hcp[at]
    column = sets.start[hcp] + near.place[at]
    use = summed(wide_use(blocks, column) - wide_use(blocks, plan.columns[hcp]), length)
    gain = -near.cost[keep] + np.asarray(use.T @ price).ravel()
    return Changes(-1 - near.block[keep], gain, use, edge, hcp, column)


def _of_hcps(blocks: Blocks, plan: BlockPass, taken: np.ndarray, most: int) -> Changes:
    """Other sets of single HCPs that use nothing more of their block's own limits; `taken` HCPs stay out."""
    sets, shared, pricing = blocks.pricing.sets, blocks.pricing.shared, blocks.pricing
    best, _ = pricing.best(plan.price)
    column, _, _ = pricing.above(plan.price, best - pricing.nearest(plan.price, best, sets.hcp_count + 2 * most))
    hcp = sets.owner_of(column)
    busy = np.zeros(sets.hcp_count, dtype=bool)
    busy[taken] = True
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
