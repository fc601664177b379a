"""What a limit counts, as whole numbers: how many touches there are of each coefficient.

A budget over six channels of one price each is a sum of six whole counts. An integer program that knows the counts branches and
cuts on them (does this territory get 41 visits or 42?) instead of on single HCPs, of which hundreds are nearly alike: with the counts
given, the choice among HCPs is almost always whole by itself. The plans are the same; on small plans bound by several budgets at
once the tree is about a hundred times smaller.

Counts are built in two steps, so that no row is long: atoms are touches that no limit tells apart (at most `MOST_CELLS` of them), counts
of a limit are sums of atoms. Long rows would be walked again for every HCP that a rounding heuristic of the solver settles.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from optimization.restricted import Restricted
from optimization.sets import HcpSets
from optimization.shared import SharedLimits

FEWEST_COEFFICIENTS = 2
MOST_COEFFICIENTS = 16  # a limit with more distinct coefficients (minutes that differ by HCP) is left as it is
MOST_CELLS = 30  # touches of one atom


@dataclass(frozen=True)
class Tallies:
    """Counts over the free columns of a restricted problem: atoms first, then the sums of atoms that limits use.

    adds (counts, free): by how much picking a column raises an atom; nests (counts, counts): which atoms a sum holds;
    weight (limits, counts): what one of the count uses of a limit, signed and scaled like `Restricted.use`;
    counted (limits): the limit's use over free columns is weight @ (adds + nests @ adds).
    """

    adds: sparse.csr_matrix
    nests: sparse.csr_matrix
    weight: sparse.csr_matrix
    counted: np.ndarray

    @property
    def count(self) -> int:
        return self.adds.shape[0]

    def of(self, picks: np.ndarray) -> np.ndarray:
        """(counts) the counts of a plan given as 0/1 per free column."""
        atoms = self.adds @ picks
        return atoms + self.nests @ atoms


def no_tallies(limits: int, free: int) -> Tallies:
    """For the model in its plainest form."""
    nothing = sparse.csr_matrix((0, 0))
    return Tallies(sparse.csr_matrix((0, free)), nothing, sparse.csr_matrix((limits, 0)), np.zeros(limits, dtype=bool))


def tally(sets: HcpSets, shared: SharedLimits, part: Restricted) -> Tallies:
    """The counts of every limit with few distinct coefficients; limits that count the same touches share a count."""
    adds, cells = _cells(sets, shared, part.free)  # (cells, free), what feature of which profile each cell is
    entries = _entries(shared, cells)
    atom = _atoms(entries, len(cells))
    atoms = int(atom.max(initial=-1)) + 1
    member = np.flatnonzero(atom >= 0)
    gather = sparse.csr_matrix((np.ones(len(member)), (atom[member], member)), shape=(atoms, adds.shape[0]))
    sums: dict[tuple[int, ...], int] = {}
    rows, columns, weights = [], [], []
    for limit, coefficient, mine in entries:
        held = tuple(np.unique(atom[mine]).tolist())
        rows.append(limit)
        columns.append(held[0] if len(held) == 1 else atoms + sums.setdefault(held, len(sums)))
        weights.append(shared.sign[limit] * coefficient / shared.scale[limit])
    count = atoms + len(sums)
    nest_rows = np.repeat(np.arange(atoms, count), [len(held) for held in sums]).astype(np.int64)
    nest_columns = np.array([j for held in sums for j in held], dtype=np.int64)
    nests = sparse.csr_matrix((np.ones(len(nest_rows)), (nest_rows, nest_columns)), shape=(count, count))
    weight = sparse.csr_matrix((weights, (np.array(rows, dtype=np.int64), np.array(columns, dtype=np.int64))), shape=(shared.count, count))
    counted = np.zeros(shared.count, dtype=bool)
    counted[rows] = True
    below = sparse.csr_matrix((len(sums), len(part.free)))
    return Tallies(sparse.csr_matrix(sparse.vstack([gather @ adds, below], format="csr")), nests, weight, counted)


def _cells(sets: HcpSets, shared: SharedLimits, columns: np.ndarray) -> tuple[sparse.csr_matrix, np.ndarray]:
    """((cells, columns) what each column touches, number of each cell's profile and feature); a cell is one feature of one HCP."""
    kinds, which = np.unique(sets.kind_of(columns), return_inverse=True)
    features = sparse.coo_matrix(sparse.csr_matrix(shared.features(sets)[kinds])[which])
    owner = sets.owner_of(columns)[features.row]
    keys, cell = np.unique(owner * shared.width + features.col, return_inverse=True)
    adds = sparse.csr_matrix((features.data, (cell, features.row)), shape=(len(keys), len(columns)))
    hcp, feature = keys // shared.width, keys % shared.width
    return adds, shared.profile[hcp].astype(np.int64) * shared.width + feature


def _entries(shared: SharedLimits, cells: np.ndarray) -> list[tuple[int, float, np.ndarray]]:
    """(limit, one of its coefficients, positions in `cells` (profile x feature) that have it), for limits with few of them."""
    matrix, found = shared.coefficient[:, cells].tocsr(), []
    for limit, (a, b) in enumerate(zip(matrix.indptr[:-1], matrix.indptr[1:], strict=True)):
        distinct, which = np.unique(matrix.data[a:b], return_inverse=True)
        if FEWEST_COEFFICIENTS <= len(distinct) <= MOST_COEFFICIENTS:
            mine = matrix.indices[a:b]
            found += [(limit, float(x), np.sort(mine[which == i])) for i, x in enumerate(distinct.tolist()) if x != 0]
    return found


def _atoms(entries: list[tuple[int, float, np.ndarray]], cells: int) -> np.ndarray:
    """Number of the atom of every cell, -1 for cells that no counted limit uses: cells in the same entries are together."""
    label, following = np.full(cells, -1), 0
    for _, _, mine in entries:
        _, again = np.unique(label[mine], return_inverse=True)
        label[mine] = following + again
        following += int(again.max(initial=-1)) + 1
    used = np.flatnonzero(label >= 0)
    _, group = np.unique(label[used], return_inverse=True)
    order = np.argsort(group, kind="stable")
    first = np.searchsorted(group[order], np.arange(int(group.max(initial=-1)) + 1))
    place = np.empty(len(used), dtype=np.int64)
    place[order] = (np.arange(len(used)) - first[group[order]]) // MOST_CELLS
    key = np.column_stack([group, place])
    label[used] = np.unique(key, axis=0, return_inverse=True)[1].ravel() if len(used) else 0
    return label
