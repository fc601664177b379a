"""What a limit counts, as whole numbers: how many touches there are of each coefficient.

A budget over six channels of one price each is a sum of six whole counts. An integer program that knows the counts branches and
cuts on them (does this territory get 41 visits or 42?) instead of on single HCPs, of which hundreds are nearly alike: with the counts
given, the choice among HCPs is almost always whole by itself. The plans are the same; on small plans bound by several budgets at
once the tree is about a hundred times smaller.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from optimization.restricted import Restricted
from optimization.sets import HcpSets, SharedLimits

MOST_COEFFICIENTS = 16  # a limit with more distinct coefficients (minutes that differ by HCP) is left as it is


@dataclass(frozen=True)
class Tallies:
    """Counts over the free columns of a restricted problem.

    adds (counts, free): by how much picking a column raises each count; weight (limits, counts): what one of the count uses of a
    limit, signed and scaled like `Restricted.use`; counted (limits): the limit's use over free columns is weight @ adds.
    """

    adds: sparse.csr_matrix
    weight: sparse.csr_matrix
    counted: np.ndarray

    @property
    def count(self) -> int:
        return self.adds.shape[0]


def no_tallies(limits: int, free: int) -> Tallies:
    """For the model in its plainest form."""
    return Tallies(sparse.csr_matrix((0, free)), sparse.csr_matrix((limits, 0)), np.zeros(limits, dtype=bool))


def tally(sets: HcpSets, shared: SharedLimits, part: Restricted) -> Tallies:
    """The counts of every limit with few distinct coefficients; counts of the same touches are one count."""
    cells, limit, coefficient = _cells_by_coefficient(shared)
    adds = shared.uses(cells, sets, part.free).tocsr()
    adds.sort_indices()
    kept: dict[tuple[bytes, bytes], int] = {}
    number = np.full(len(limit), -1)
    for row in range(len(limit)):
        a, b = adds.indptr[row], adds.indptr[row + 1]
        if b > a:
            number[row] = kept.setdefault((adds.indices[a:b].tobytes(), adds.data[a:b].tobytes()), len(kept))
    used = np.flatnonzero(number >= 0)
    first = np.full(len(kept), -1)
    first[number[used][::-1]] = used[::-1]
    entry = (shared.sign[limit] * coefficient / shared.scale[limit])[used]
    weight = sparse.csr_matrix((entry, (limit[used], number[used])), shape=(shared.count, len(kept)))
    counted = np.zeros(shared.count, dtype=bool)
    counted[limit] = True
    return Tallies(adds[first], weight, counted)


def _cells_by_coefficient(shared: SharedLimits) -> tuple[sparse.csr_matrix, np.ndarray, np.ndarray]:
    """(0/1 rows over (HCP, feature) cells, limit of each row, coefficient of each row)."""
    matrix = shared.coefficient
    indices, limits, coefficients = [], [], []
    for number, (a, b) in enumerate(zip(matrix.indptr[:-1], matrix.indptr[1:], strict=True)):
        distinct, which = np.unique(matrix.data[a:b], return_inverse=True)
        if len(distinct) > MOST_COEFFICIENTS:
            continue
        for position in np.flatnonzero(distinct != 0):
            indices.append(matrix.indices[a:b][which == position])
            limits.append(number), coefficients.append(distinct[position])
    start = np.concatenate([[0], np.cumsum([len(x) for x in indices])]).astype(np.int64)
    flat = np.concatenate(indices) if indices else np.empty(0, dtype=np.int64)
    cells = sparse.csr_matrix((np.ones(len(flat)), flat, start), shape=(len(limits), matrix.shape[1]))
    return cells, np.array(limits, dtype=np.int64), np.array(coefficients, dtype=np.float64)
