"""The cheapest loosening of limits with which a plan exists, value left aside: HCPs that can do the same are counted, not told apart.

Whether a plan exists asks nothing but how many HCPs of each class get which set. A class is the HCPs whose sets use the kept limits alike;
sets that use at least as much of every limit as another set of the class (with a minimum's sign turned) are never needed and left out.
That makes thousands of HCPs a few hundred counts.

    minimise   sum over l: cost[l] Excess[l]
    subject to sum over classes k, sets S: use[l, k, S] Count[k, S] - Excess[l] <= bound[l],   sum over S: Count[k, S] = HCPs of k
with use, bound and Excess over the limit's largest use of a touch, and the sign of minimums turned.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy import sparse

from optimization.sets import HcpSets
from optimization.shared import SharedLimits

NODES = 2000
CLOSE = 1e-3  # relative gap of a large integer program
LARGE = 3000  # counts beyond which it is large


@dataclass(frozen=True)
class Classes:
    """rows: the limits kept; size (classes): HCPs; owner (columns): class; use (rows, columns): scaled, sign of minimums turned."""

    rows: np.ndarray
    size: np.ndarray
    owner: np.ndarray
    use: sparse.csc_matrix


@dataclass(frozen=True)
class Loosening:
    """excess, price (limits): scaled excess and, of the continuous program, its dual; total: sum of excess."""

    excess: np.ndarray
    price: np.ndarray
    total: float


@dataclass(frozen=True)
class Census:
    """What is asked of HCPs again and again. size: HCPs by (profile, list of sets); blocks: per profile the limits that it counts in and
    their use by feature (features, limits), scaled, sign turned; features: by list, of each of its sets; known: what `_needed` said."""

    profile: np.ndarray
    lists: np.ndarray
    size: np.ndarray
    blocks: list[tuple[np.ndarray, np.ndarray]]
    features: list[np.ndarray]
    known: dict[tuple[bytes, int], np.ndarray] = field(default_factory=dict)

    def classes(self, rows: np.ndarray) -> Classes:
        """HCPs by what their sets use of these limits (sorted)."""
        kept = np.zeros(1 + max((int(mine.max(initial=-1)) for mine, _ in self.blocks), default=0), dtype=bool)
        kept[rows[rows < len(kept)]] = True
        names: dict[tuple[bytes, bytes], int] = {}
        alike = np.array([names.setdefault(_within(*block, kept)[2:], len(names)) for block in self.blocks], dtype=np.int64)
        pair, which = np.unique(alike[self.profile] * len(self.features) + self.lists, return_inverse=True)
        size = np.bincount(which, weights=self.size).astype(np.int64)
        example = [_within(*self.blocks[one], kept) for one in np.unique(alike, return_index=True)[1].tolist()]
        merged: dict[tuple[bytes, bytes], int] = {}
        count: list[int] = []
        found: list[tuple[np.ndarray, np.ndarray]] = []
        for (block, one), hcps in zip((divmod(x, len(self.features)) for x in pair.tolist()), size.tolist(), strict=True):
            mine, use, mine_name, use_name = example[block]
            name = (use_name, one)
            if name not in self.known:
                self.known[name] = _needed(self.features[one] @ use)
            label = (mine_name, self.known[name].tobytes())
            if label not in merged:
                merged[label] = len(count)
                count.append(0)
                found.append((np.searchsorted(rows, mine), self.known[name]))
            count[merged[label]] += hcps
        return _joined(rows, np.array(count, dtype=np.float64), found)


def take_census(sets: HcpSets, shared: SharedLimits) -> Census:
    """The census of a problem."""
    lists, features = len(sets.list_start) - 1, shared.features(sets)
    key, size = np.unique(shared.profile.astype(np.int64) * lists + sets.list_of, return_counts=True)
    matrix = sparse.csc_matrix(sparse.diags(shared.sign / shared.scale) @ shared.coefficient)
    blocks = [_block(matrix, profile, shared.width) for profile in range(shared.profile_count)]
    kinds = [features[sets.list_kind[sets.list_start[one] : sets.list_start[one + 1]]] for one in range(lists)]
    return Census(key // lists, key % lists, size, blocks, kinds)


def _block(matrix: sparse.csc_matrix, profile: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """(limits that a profile counts in, their use by feature (width, limits))."""
    a, b = matrix.indptr[profile * width], matrix.indptr[(profile + 1) * width]
    mine, place = np.unique(matrix.indices[a:b], return_inverse=True)
    use = np.zeros((width, len(mine)))
    feature = np.repeat(np.arange(width), np.diff(matrix.indptr[profile * width : (profile + 1) * width + 1]))
    use[feature, place] = matrix.data[a:b]
    return mine.astype(np.int64), use


def _within(mine: np.ndarray, use: np.ndarray, kept: np.ndarray) -> tuple[np.ndarray, np.ndarray, bytes, bytes]:
    """A block without the limits that are dropped, and the same as bytes."""
    here = kept[mine]
    mine, use = mine[here], np.ascontiguousarray(use[:, here])
    return mine, use, mine.tobytes(), use.tobytes()


def _needed(use: np.ndarray) -> np.ndarray:
    """The rows (sets) of `use` that no other row undercuts everywhere, each once."""
    use = np.unique(np.round(use, 12) + 0.0, axis=0)
    under = (use[:, None, :] <= use[None, :, :]).all(axis=2)
    np.fill_diagonal(under, False)
    return np.ascontiguousarray(use[~under.any(axis=0)])


def _joined(rows: np.ndarray, size: np.ndarray, found: list[tuple[np.ndarray, np.ndarray]]) -> Classes:
    sizes = np.array([len(use) for _, use in found], dtype=np.int64)
    owner = np.repeat(np.arange(len(found)), sizes)
    first = np.cumsum(sizes) - sizes
    at = [np.tile(mine, len(use)) for mine, use in found]
    column = [np.repeat(first[k] + np.arange(len(use)), len(mine)) for k, (mine, use) in enumerate(found)]
    data = np.concatenate([np.empty(0), *(use.ravel() for _, use in found)])
    places = (np.concatenate([np.empty(0, dtype=np.int64), *at]), np.concatenate([np.empty(0, dtype=np.int64), *column]))
    use = sparse.csc_matrix((data, places), shape=(len(rows), len(owner)))
    use.eliminate_zeros()
    return Classes(rows, size, owner, use)


def least_excess(shared: SharedLimits, bound: np.ndarray, cost: np.ndarray, classes: Classes, whole: bool) -> Loosening:
    """The cheapest excess over the kept limits at these bounds; bound, cost per scaled unit: (limits); whole: sets are given whole, else
    fractions count."""
    import highspy

    limits, columns, groups = len(classes.rows), len(classes.owner), len(classes.size)
    inf = highspy.kHighsInf
    one = sparse.csc_matrix((np.ones(columns), (classes.owner, np.arange(columns))), shape=(groups, columns))
    excess = sparse.vstack([-sparse.identity(limits), sparse.csc_matrix((groups, limits))])
    matrix = sparse.csc_matrix(sparse.hstack([sparse.vstack([classes.use, one]), excess]))
    matrix.sort_indices()
    rest = (shared.sign * bound / shared.scale)[classes.rows]
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = matrix.shape[1], matrix.shape[0]
    lp.col_cost_ = np.r_[np.zeros(columns), cost[classes.rows]]
    lp.col_lower_, lp.col_upper_ = np.zeros(columns + limits), np.r_[classes.size[classes.owner], np.full(limits, inf)]
    lp.row_lower_, lp.row_upper_ = np.r_[np.full(limits, -inf), classes.size], np.r_[rest, classes.size]
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = matrix.indptr, matrix.indices, matrix.data
    if whole:
        lp.integrality_ = [highspy.HighsVarType.kInteger] * columns + [highspy.HighsVarType.kContinuous] * limits
    solver = highspy.Highs()
    options = {"output_flag": False, "threads": 1, "random_seed": 0, "mip_max_nodes": NODES, "mip_abs_gap": 1e-7}
    options |= {"mip_rel_gap": CLOSE if columns > LARGE else 0.0, "mip_feasibility_tolerance": 1e-9, "primal_feasibility_tolerance": 1e-9}
    options |= {"dual_feasibility_tolerance": 1e-10}
    for name, setting in options.items():
        solver.setOptionValue(name, setting)
    solver.passModel(lp)
    solver.run()
    counts = np.array(solver.getSolution().col_value)[:columns]
    counts = np.round(counts) if whole else counts
    over = np.maximum(classes.use @ counts - rest, 0.0)
    slip = (1e-6 * np.abs(bound) / shared.scale + 1e-9)[classes.rows] if whole else 1e-9
    over = np.where(over <= slip, 0.0, over)
    price = np.zeros(limits) if whole else np.abs(np.array(solver.getSolution().row_dual)[:limits])
    result, dual = np.zeros(shared.count), np.zeros(shared.count)
    result[classes.rows], dual[classes.rows] = over, np.where(price < 1e-9 * cost[classes.rows], 0.0, price)
    return Loosening(result, dual, float(over.sum()))
