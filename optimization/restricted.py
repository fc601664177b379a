"""The problem over some of the columns: what is left to decide when HCPs with a single column are taken as settled."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from optimization.sets import HcpSets, SharedLimits


@dataclass(frozen=True)
class Restricted:
    """Columns still to be decided and what they may use together.

    settled: columns of HCPs that have no other one; free: the rest, grouped by HCP; owner (free): row of the HCP among
    the `hcp_count` undecided ones; value (free): KPI units;
    use (limits, free): signed and divided by the limit's scale, so that every row reads use <= rest; constant: value of `settled`.
    """

    settled: np.ndarray
    free: np.ndarray
    owner: np.ndarray
    hcp_count: int
    value: np.ndarray
    use: sparse.csc_matrix
    rest: np.ndarray
    constant: float


def restrict(sets: HcpSets, shared: SharedLimits, value: np.ndarray, columns: np.ndarray, settle: bool = True) -> Restricted:
    """The problem over `columns` (at least one per HCP); `value`: of all columns; settle=False: all HCPs free."""
    columns = np.sort(columns)
    counts = np.bincount(sets.hcp[columns], minlength=sets.hcp_count)[sets.hcp[columns]]
    single = (counts == 1) & settle
    settled, free = columns[single], columns[~single]
    members, owner = np.unique(sets.hcp[free], return_inverse=True)
    rest = shared.sign * (shared.bound - shared.total_use(sets, settled)) / shared.scale
    use = sparse.csc_matrix(sparse.diags(shared.sign / shared.scale) @ shared.use_of(sets, free))
    use.sort_indices()
    return Restricted(settled, free, owner, len(members), value[free], use, rest, float(value[settled].sum()))
