"""`allocate`: choose pairs under a limit per group and linear rows; the general door to the engine, for arrays that are no HCP tables."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from optimization.problem import PlanInputError, PlanSettings
from optimization.shared import scrambled

if TYPE_CHECKING:
    from optimization.sets import HcpSets
    from optimization.shared import SharedLimits

NODES = 50_000
PADDING = 4  # groups of such unlike size that their table would be so many times the pairs are solved as they are


@dataclass(frozen=True)
class Allocation:
    """chosen (n,) bool; objective: sum of chosen values; upper_bound: proven, >= every allowed choice; gap = (upper_bound - objective) /
    max(|objective|, 1e-9); status: `optimal` (gap as asked for), `feasible` (stopped at the node limit) or `infeasible` (nothing chosen,
    objective and bounds nan); prices (m,): gain of the continuous bound per unit by which a row's bounds are raised, positive where the
    upper one binds, negative where the lower one does, 0 for rows inside one group (they are kept exactly, not priced)."""

    chosen: np.ndarray
    objective: float
    upper_bound: float
    gap: float
    status: str
    prices: np.ndarray


@dataclass(frozen=True)
class _Case:
    """The instance, checked. place (n,): number of the group, 0..groups-1; slot (n,): place in the group; most (groups,); rows, lower and
    upper over scale (m,), each row's largest coefficient, so that tolerances mean the same in any unit."""

    value: np.ndarray
    place: np.ndarray
    slot: np.ndarray
    most: np.ndarray
    size: np.ndarray
    rows: sparse.csr_matrix
    lower: np.ndarray
    upper: np.ndarray
    scale: np.ndarray


def allocate(
    value: np.ndarray,
    group: np.ndarray,
    at_most: int | np.ndarray,
    rows: sparse.spmatrix,
    lower: np.ndarray,
    upper: np.ndarray,
    gap: float = 1e-4,
) -> Allocation:
    """The choice of pairs of the largest total value: at most `at_most` of every group, lower <= rows @ chosen <= upper.

    value (n,): maximised; group (n,) int: any numbers in any order; at_most: one number, or one per group in rising order of the groups;
    rows: sparse (m, n); lower, upper (m,): -inf / inf for none; gap: proven relative gap at which the search ends.
    Raises PlanInputError (a ValueError) for arrays that do not fit together or hold no finite number.
    """
    case = _checked(value, group, at_most, rows, lower, upper)
    settings = PlanSettings(date(2000, 1, 1), date(2000, 1, 2), overlap=0.0, gap=gap, node_limit=NODES)
    touched = np.diff(case.rows.indptr) > 0
    if np.any(~touched & ((case.lower > 1e-9) | (case.upper < -1e-9))) or np.any(case.lower > case.upper):
        return _infeasible(case)
    if len(case.value) == 0:
        return Allocation(np.zeros(0, dtype=bool), 0.0, 0.0, 0.0, "optimal", np.zeros(len(case.lower)))
    inner = _inner_rows(case) & touched
    sets = _sets(case, inner)
    if sets is None:
        return _whole(case, settings)
    if np.any(np.diff(sets.start) == 0):
        return _infeasible(case)
    return _by_sets(case, sets, np.flatnonzero(touched & ~inner), settings)


def _checked(
    value: np.ndarray, group: np.ndarray, at_most: int | np.ndarray, rows: sparse.spmatrix, lower: np.ndarray, upper: np.ndarray
) -> _Case:
    value, group = np.asarray(value, dtype=np.float64), np.asarray(group)
    lower, upper = np.asarray(lower, dtype=np.float64), np.asarray(upper, dtype=np.float64)
    matrix = sparse.csr_matrix(rows, dtype=np.float64)
    n, m = len(value), matrix.shape[0]
    for name, shape, wanted in (
        ("group", group.shape, (n,)),
        ("rows", matrix.shape, (m, n)),
        ("lower", lower.shape, (m,)),
        ("upper", upper.shape, (m,)),
    ):
        if shape != wanted:
            raise PlanInputError(f"{name} has the shape {shape}, {wanted} is needed for {n} values")
    for name, numbers in (("value", value), ("rows", matrix.data)):
        wrong = np.flatnonzero(~np.isfinite(numbers))
        if len(wrong):
            raise PlanInputError(f"{name} holds {len(wrong)} entries that are no finite number, the first at {wrong[0]}")
    if np.any(np.isnan(lower) | np.isnan(upper)):
        raise PlanInputError("lower and upper must be numbers, -inf or inf where there is no bound")
    if n and group.dtype.kind not in "iu":
        raise PlanInputError(f"group must hold whole numbers, not {group.dtype}")
    if matrix is rows or np.shares_memory(matrix.data, getattr(rows, "data", np.empty(0))):
        matrix = matrix.copy()
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    place, slot, size = _slots(group)
    most = np.broadcast_to(np.asarray(at_most, dtype=np.float64), (len(size),)) if np.ndim(at_most) == 0 else np.asarray(at_most)
    if most.shape != (len(size),) or np.any(~(most >= 0)):
        raise PlanInputError(f"at_most must be one number >= 0, or one for each of the {len(size)} groups")
    most = np.minimum(np.floor(most + 1e-9), size).astype(np.int64)
    scale = np.ones(m)
    some = np.flatnonzero(np.diff(matrix.indptr) > 0)
    scale[some] = np.maximum.reduceat(np.abs(matrix.data), matrix.indptr[some]) if len(some) else scale[some]
    matrix.data /= np.repeat(scale, np.diff(matrix.indptr))
    return _Case(value, place, slot, most, size, matrix, lower / scale, upper / scale, scale)


def _slots(group: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(number of the group, place in it, size per group)."""
    if len(group) == 0:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    order = None if np.all(group[1:] >= group[:-1]) else np.argsort(group, kind="stable")
    ordered = group if order is None else group[order]
    first = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    size = np.diff(np.r_[first, len(group)])
    place = np.repeat(np.arange(len(first)), size)
    slot = np.arange(len(group)) - first[place]
    if order is not None:
        back = np.empty(len(group), dtype=np.int64)
        back[order] = np.arange(len(group))
        place, slot = place[back], slot[back]
    return place, slot, size


def _inner_rows(case: _Case) -> np.ndarray:
    """(m,) rows whose pairs all lie in one group: a rule about that group's choice alone."""
    found = np.zeros(case.rows.shape[0], dtype=bool)
    some = np.flatnonzero(np.diff(case.rows.indptr) > 0)
    if len(some):
        owner = case.place[case.rows.indices]
        edges = case.rows.indptr[some]
        found[some] = np.minimum.reduceat(owner, edges) == np.maximum.reduceat(owner, edges)
    return found


def _sets(case: _Case, inner: np.ndarray) -> HcpSets | None:
    """The allowed choices of every group, or None where they are too many to be listed."""
    from optimization.sets import MOST_COLUMNS, MOST_SETS, HcpSets
    from optimization.solve import THREADS

    groups, width = len(case.size), int(case.size.max())
    if groups * width > PADDING * len(case.value) + 1_000_000:
        return None
    rules: dict[int, list[tuple]] = {}
    for row in np.flatnonzero(inner).tolist():
        span = slice(case.rows.indptr[row], case.rows.indptr[row + 1])
        pairs = case.rows.indices[span]
        rule = (tuple(case.slot[pairs].tolist()), tuple(case.rows.data[span].tolist()), case.lower[row], case.upper[row])
        rules.setdefault(int(case.place[pairs[0]]), []).append(rule)
    key, which = np.unique(case.size * (width + 1) + case.most, return_inverse=True)
    plain: dict[tuple, int] = {}
    list_of = np.array([plain.setdefault((*divmod(k, width + 1), ()), i) for i, k in enumerate(key.tolist())])[which]
    for one, own in rules.items():
        list_of[one] = plain.setdefault((int(case.size[one]), int(case.most[one]), tuple(sorted(own))), len(plain))
    if any(sum(math.comb(size, k) for k in range(most + 1)) > MOST_SETS for size, most, _ in plain):
        return None
    numbers: dict[tuple[int, ...], int] = {}
    kinds = [[numbers.setdefault(one, len(numbers)) for one in _choices(*rule)] for rule in plain]
    counts = np.array([len(x) for x in kinds], dtype=np.int64)
    start = np.concatenate([[0], np.cumsum(counts[list_of])])
    if start[-1] > MOST_COLUMNS or len(numbers) * width > 50_000_000:
        return None
    touches = np.zeros((len(numbers), width), dtype=np.int16)
    for one, number in numbers.items():
        touches[number, list(one)] = 1
    values = np.zeros((groups, width))
    values[case.place, case.slot] = case.value
    flat = np.array([k for one in kinds for k in one], dtype=np.int32)
    list_start = np.concatenate([[0], np.cumsum(counts)])
    return HcpSets(values, 0.0, list_of.astype(np.int32), list_start, flat, touches, start, np.zeros(groups, dtype=bool), threads=THREADS)


def _choices(size: int, most: int, rules: tuple) -> list[tuple[int, ...]]:
    """Choices of up to `most` of `size` slots that keep the rules inside the group (relative tolerance 1e-9)."""

    def holds(one: tuple[int, ...]) -> bool:
        for slots, use, lower, upper in rules:
            total = sum(u for s, u in zip(slots, use, strict=True) if s in one)
            if total > upper + 1e-9 * max(1.0, abs(upper)) or total < lower - 1e-9 * max(1.0, abs(lower)):
                return False
        return True

    return [one for count in range(most + 1) for one in itertools.combinations(range(size), count) if not rules or holds(one)]


def _limits(case: _Case, sets: HcpSets, rows: np.ndarray) -> tuple[SharedLimits, np.ndarray, np.ndarray]:
    """(the rows as limits, upper ones first; rows of the upper ones, of the lower ones)."""
    from optimization.shared import SharedLimits

    matrix = case.rows[rows]
    width = sets.channel_count
    # groups whose pairs use the same of every row share a profile
    draw = np.random.default_rng(20_021)
    weights = draw.integers(1, 2**63 - 1, size=(matrix.shape[0] + width), dtype=np.int64).view(np.uint64)
    hashed = sparse.csr_matrix((scrambled(matrix.data), matrix.indices, matrix.indptr), shape=matrix.shape)
    table = np.zeros((sets.hcp_count, width), dtype=np.uint64)
    table[case.place, case.slot] = hashed.T @ weights[: matrix.shape[0]]
    label = (table * weights[matrix.shape[0] :]).sum(axis=1, dtype=np.uint64)
    _, examples, profile = np.unique(label, return_index=True, return_inverse=True)
    example = np.zeros(sets.hcp_count, dtype=bool)
    example[examples] = True
    keep = example[case.place[matrix.indices]]
    pairs = matrix.indices[keep]
    edge = np.concatenate([[0], np.cumsum(keep)])[matrix.indptr]
    cells = profile[case.place[pairs]] * width + case.slot[pairs]
    few = sparse.csr_matrix((matrix.data[keep], cells, edge), shape=(len(rows), len(examples) * width))
    above, below = np.flatnonzero(np.isfinite(case.upper[rows])), np.flatnonzero(np.isfinite(case.lower[rows]))
    sign = np.concatenate([np.ones(len(above)), -np.ones(len(below))])
    bound = np.concatenate([case.upper[rows[above]], case.lower[rows[below]]])
    coefficient = sparse.csr_matrix(sparse.vstack([few[above], few[below]], format="csr"))
    scopes = np.zeros((0, width), dtype=bool)
    soft = np.zeros(len(bound), dtype=bool)
    limits = SharedLimits(sign, bound, soft, profile.astype(np.int32), len(examples), scopes, coefficient)
    return limits, rows[above], rows[below]


def _by_sets(case: _Case, sets: HcpSets, rows: np.ndarray, settings: PlanSettings) -> Allocation:
    from optimization.prices import LimitsConflict
    from optimization.solve import solve_sets

    limits, above, below = _limits(case, sets, rows)
    try:
        prices, search = solve_sets(sets, limits, np.full(limits.count, np.inf), settings, exact=0)
    except LimitsConflict:
        return _infeasible(case)
    chosen = sets.touches_of(search.best.columns).reshape(-1, sets.channel_count)[case.place, case.slot] > 0
    price = np.zeros(len(case.lower))
    price[above] += prices.price[: len(above)]
    price[below] -= prices.price[len(above) :]
    return _answer(case, chosen, search.bound, price, settings.gap)


def _whole(case: _Case, settings: PlanSettings) -> Allocation:
    """Plain HiGHS on all pairs, where groups are too large for their choices to be listed; prices are those of its linear relaxation."""
    import highspy

    n, m = len(case.value), len(case.lower)
    member = sparse.csr_matrix((np.ones(n), (case.place, np.arange(n))), shape=(len(case.size), n))
    matrix = sparse.csc_matrix(sparse.vstack([case.rows, member]))
    unit = float(np.abs(case.value).max()) or 1.0
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_, lp.sense_ = n, m + len(case.size), highspy.ObjSense.kMaximize
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = case.value / unit, np.zeros(n), np.ones(n)
    lp.row_lower_ = np.concatenate([case.lower, np.full(len(case.size), -highspy.kHighsInf)])
    lp.row_upper_ = np.concatenate([case.upper, case.most.astype(np.float64)])
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = matrix.indptr, matrix.indices, matrix.data
    solver = highspy.Highs()
    options = {"output_flag": False, "threads": 1, "mip_rel_gap": settings.gap, "mip_abs_gap": 1e-9, "mip_max_nodes": settings.node_limit}
    for name, setting in options.items():
        solver.setOptionValue(name, setting)
    solver.passModel(lp)
    solver.run()
    price = np.array(solver.getSolution().row_dual)[:m] * unit
    lp.integrality_ = [highspy.HighsVarType.kInteger] * n
    solver.passModel(lp)
    solver.run()
    info = solver.getInfo()
    if solver.getModelStatus() == highspy.HighsModelStatus.kInfeasible:
        return _infeasible(case)
    if info.primal_solution_status != 2:
        raise RuntimeError(f"no allowed choice was found within {settings.node_limit} nodes; it is not known whether there is one")
    chosen = np.array(solver.getSolution().col_value) > 0.5
    return _answer(case, chosen, float(info.mip_dual_bound) * unit, price, settings.gap)


def _answer(case: _Case, chosen: np.ndarray, bound: float, price: np.ndarray, gap: float) -> Allocation:
    """The result, after the rows have been looked at once more."""
    use = case.rows @ chosen.astype(np.float64)
    over = np.maximum(use - case.upper, case.lower - use)
    broken = np.flatnonzero(over > 1e-6 * np.abs(np.where(use > case.upper, case.upper, case.lower)) + 1e-9)
    if len(broken) or np.any(np.bincount(case.place[chosen], minlength=len(case.size)) > case.most):
        raise AssertionError(f"the solver returned a choice that breaks {len(broken)} rows")
    objective = math.fsum(case.value[chosen].tolist())
    noise = 1e-9 * max(abs(objective), float(np.abs(case.value).max(initial=0.0)))
    bound = objective if bound - objective <= noise else bound
    found = (bound - objective) / max(abs(objective), 1e-9)
    return Allocation(chosen, objective, bound, found, "optimal" if found <= gap else "feasible", price / case.scale)


def _infeasible(case: _Case) -> Allocation:
    nothing = float("nan")
    return Allocation(np.zeros(len(case.value), dtype=bool), nothing, nothing, nothing, "infeasible", np.zeros(len(case.lower)))
