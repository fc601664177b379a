"""Sets that no whole plan can hold: a single touch that uses more than all of a limit.

z_LP may take a fraction of such a touch, so prices are made with it. Integer programs do without: their bound becomes tighter, and a
limit is scaled by the largest coefficient that can matter (a budget of 50 beside a congress of a million is a budget of 50).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import sparse

from optimization.prices import LimitsConflict, Prices, price_all
from optimization.sets import HcpSets, SharedLimits


def fitting(sets: HcpSets, shared: SharedLimits, prices: Prices) -> tuple[HcpSets, SharedLimits, Prices, np.ndarray]:
    """(sets that fit, limits without the touches that do not, priced values and bound at the same prices, numbers of the columns kept).

    Raises LimitsConflict when the pins of an HCP do not fit.
    """
    too_large = _too_large(shared)
    if not len(too_large):
        return sets, shared, prices, np.arange(sets.column_count)
    width = shared.features.shape[1]
    closed = np.zeros(sets.hcp_count * width, dtype=bool)
    closed[too_large] = True
    closed = closed.reshape(-1, width)
    suspect = np.flatnonzero(closed.any(axis=1)[sets.hcp])
    broken = np.any(closed[sets.hcp[suspect]] & (shared.features[sets.kind[suspect]] > 0), axis=1)
    keep = np.setdiff1d(np.arange(sets.column_count), suspect[broken])
    counts = np.bincount(sets.hcp[keep], minlength=sets.hcp_count)
    if np.any(counts == 0):
        raise LimitsConflict("a pinned touch uses more than all of a limit")
    start = np.concatenate([[0], np.cumsum(counts)])
    mine = replace(sets, start=start, hcp=sets.hcp[keep], kind=sets.kind[keep], value=sets.value[keep])
    left = sparse.csr_matrix(shared.coefficient @ sparse.diags(1.0 - closed.ravel()))
    left.eliminate_zeros()
    limits = replace(shared, coefficient=left)
    return mine, limits, price_all(mine, limits, prices.price), keep


def _too_large(shared: SharedLimits) -> np.ndarray:
    """Cells (HCP x feature) whose coefficient alone breaks a hard upper limit that nothing can relieve."""
    matrix, found = shared.coefficient, []
    for number in np.flatnonzero((shared.sign > 0) & ~shared.soft).tolist():
        a, b = matrix.indptr[number], matrix.indptr[number + 1]
        data, bound = matrix.data[a:b], shared.bound[number]
        if len(data) and data.min() >= 0 and bound >= 0:
            # the tolerance of the contract, twice: what the checker lets pass is never closed
            found.append(matrix.indices[a:b][data > bound + 2e-6 * bound + 2e-9])
    return np.unique(np.concatenate(found)) if found else np.empty(0, dtype=np.int64)
