"""The problem over some of the columns: what is left to decide when HCPs with a single column are taken as settled."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from optimization.sets import HcpSets
from optimization.shared import SharedLimits


@dataclass(frozen=True)
class Restricted:
    """Columns still to be decided and what they may use together.

    settled: columns of HCPs that have no other one; free: the rest, grouped by HCP; owner (free): row of the HCP among
    the `hcp_count` undecided ones; value (free): KPI units; constant: value of `settled`;
    use (limits, free): signed and divided by the limit's scale, so that every row reads use <= rest.
    """

    settled: np.ndarray
    free: np.ndarray
    owner: np.ndarray
    hcp_count: int
    value: np.ndarray
    use: sparse.csc_matrix
    rest: np.ndarray
    constant: float


def restrict(sets: HcpSets, shared: SharedLimits, columns: np.ndarray, settle: bool = True) -> Restricted:
    """The problem over `columns` (at least one per HCP); settle=False: all HCPs free."""
    columns = np.sort(columns)
    owner = sets.owner_of(columns)
    counts = np.bincount(owner, minlength=sets.hcp_count)[owner]
    single = (counts == 1) & settle
    settled, free = columns[single], columns[~single]
    members, place = np.unique(owner[~single], return_inverse=True)
    rest = shared.sign * (shared.bound - shared.total_use(sets, settled)) / shared.scale
    use = sparse.csc_matrix(sparse.diags(shared.sign / shared.scale) @ shared.use_of(sets, free))
    use.sort_indices()
    value, constant = sets.value_of(free), float(sets.value_of(settled).sum())
    return Restricted(settled, free, place, len(members), value, use, rest, constant)
