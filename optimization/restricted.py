"""The problem over some of the columns: what is left to decide when HCPs with a single column are taken as settled."""

from __future__ import annotations

from dataclasses import dataclass, replace

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


def alike(part: Restricted) -> tuple[Restricted, np.ndarray]:
    """One HCP for all that have the same columns, and how many each stands for: (problem, (its hcp_count,)).

    For programs whose answer may be shared out among equal HCPs, the continuous ones. Where many HCPs are the same, a solver would
    go through every way of sharing out. Columns are compared by 64-bit hashes of value and uses.
    """
    use = part.use
    with np.errstate(over="ignore"):
        entry = _mixed(use.data.view(np.uint64) ^ _mixed(use.indices.astype(np.uint64) + np.uint64(1)))
        total = np.concatenate([[np.uint64(0)], np.cumsum(entry, dtype=np.uint64)])
        column = _mixed(total[use.indptr[1:]] - total[use.indptr[:-1]] ^ _mixed((part.value + 0.0).view(np.uint64)))
        hcp = np.zeros(part.hcp_count, np.uint64)
        np.add.at(hcp, part.owner, column)
    _, first, group, times = np.unique(hcp, return_index=True, return_inverse=True, return_counts=True)
    if len(first) == part.hcp_count:
        return part, np.ones(part.hcp_count)
    stands = np.zeros(part.hcp_count, bool)
    stands[first] = True
    kept = stands[part.owner]
    place = np.cumsum(stands) - 1
    fewer = replace(
        part,
        free=part.free[kept],
        owner=place[part.owner[kept]],
        hcp_count=len(first),
        value=part.value[kept],
        use=sparse.csc_matrix(use[:, kept]),
    )
    return fewer, times[group[stands]].astype(np.float64)


def _mixed(values: np.ndarray) -> np.ndarray:
    """Well-spread 64-bit hashes of 64-bit numbers (the finaliser of splitmix64, Steele and others 2014)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
