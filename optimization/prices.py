"""Prices of the shared limits: the continuous bound z_LP and its dual, exactly (contract section 4).

    z_LP = min over prices y >= 0 (soft floors: y <= floor penalty) of
           sum over HCPs of max over allowed sets S [V(S) - sum_l sign_l y_l use_l(S)] + sum_l sign_l y_l bound_l

Two steps. A descent (`descent.py`) comes near the minimum. Then the linear program over the columns that
are nearly best at those prices is solved by simplex, columns that it priced wrongly are added (Dantzig and Wolfe, 1960), and so on
until no column of any HCP would enter: the optimum over all columns, at the size of a few near ties.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from optimization.descent import descend
from optimization.restricted import alike, restrict
from optimization.sets import HcpSets
from optimization.shared import Pricing, SharedLimits

if TYPE_CHECKING:
    import highspy

FEW_WIDE = 60  # limits across blocks up to which a sample of blocks knows them all
MANY = 600_000  # columns from which a sample of blocks is priced first
LARGE = 2_000_000  # columns beyond which prices stay where the descent leaves them, some 1e-6 of the bound above z_LP
ROUNDS = 200
EXACT = 1e-10  # relative to the total or the largest V(S): a bound this close to the linear program's value is the same number
BAND = 0.02  # of a typical value: columns that fall short by less are in the first linear program


class LimitsConflict(Exception):
    """The hard limits cannot hold together, not even with fractions of sets; `conflicts.py` says which and why."""


@dataclass(frozen=True)
class Prices:
    """price (limits): KPI units per unit of the limit, >= 0; bound: price_bound at these prices; best (hcps): best priced value of
    each HCP; columns: those the linear program held at the end; rounds: linear programs solved."""

    price: np.ndarray
    bound: float
    best: np.ndarray
    columns: np.ndarray
    rounds: int


def largest_value(sets: HcpSets) -> float:
    """Largest |value| of one touch, at least 1e-300: the unit of tolerances."""
    return (
        max(float(np.abs(sets.values).max(initial=0.0)), 0.0 if sets.bonus is None else float(np.abs(sets.bonus).max(initial=0.0))) or 1.0
    )


def solve_prices(
    sets: HcpSets,
    shared: SharedLimits,
    loosening_cost: np.ndarray,
    say: Callable[[str], None] = lambda line: None,
    start: np.ndarray | None = None,
) -> Prices:
    """Exact prices of z_LP.

    loosening_cost (limits): KPI units per unit by which a limit may be missed; inf for hard limits, the floor penalty for soft ones;
    start (limits): prices to begin with, of a problem much like this one.
    Raises LimitsConflict when the hard limits contradict each other.
    """
    pricing = Pricing(sets, shared)
    if shared.count == 0 or sets.column_count == 0:
        return price_at(pricing, np.zeros(shared.count))
    price = first_prices(pricing, loosening_cost, start)
    if sets.column_count > LARGE:
        return price_at(pricing, price)
    band = BAND * _typical(sets)
    columns, _, _ = pricing.above(price, pricing.best(price)[0] - band)
    known, found = price, price_at(pricing, price)
    for number in range(1, ROUNDS + 1):
        master = _restricted(sets, shared, columns, loosening_cost)
        if master is None:
            more = _feasible_columns(sets, shared, columns, loosening_cost)
            if len(more) == len(columns):
                return found  # the limits hold by less than the solver can tell: any prices give a bound
            columns = more
            continue
        known = min((known, master.price), key=pricing.bound)
        found = replace(price_at(pricing, known), columns=columns, rounds=number)
        entering = _entering(pricing, master.price, columns)
        close = EXACT * max(abs(master.value), largest_value(sets))
        if found.bound - master.value <= close or len(entering) == 0:
            least = replace(price_at(pricing, master.least), columns=columns, rounds=number)
            if least.bound - master.value <= close:
                found, entering = least, entering[:0]
            else:
                entering = np.setdiff1d(_entering(pricing, master.least, columns), columns)
        say(f"prices: {len(columns)} of {sets.column_count} columns, bound {found.bound:.9g}, {len(entering)} to enter")
        if len(entering) == 0:
            return found
        columns = np.union1d(columns, entering)
    return found


def first_prices(pricing: Pricing, ceiling: np.ndarray, start: np.ndarray | None) -> np.ndarray:
    """Prices near the minimum, by a sample of blocks where there are very many."""
    if pricing.sets.column_count >= MANY:
        from optimization.blocks import partition
        from optimization.sampling import sampled_prices

        blocks = partition(pricing)
        if blocks.count > 20 and len(blocks.hcp) >= 0.9 * pricing.sets.hcp_count and blocks.wide.sum() <= FEW_WIDE:
            try:
                return sampled_prices(pricing, blocks, ceiling, start, pricing.sets.column_count <= LARGE)
            except LimitsConflict:
                pass  # the sample cannot keep its share of a minimum; that says nothing of the whole
    return descend(pricing, ceiling, start)


def price_bound(sets: HcpSets, shared: SharedLimits, price: np.ndarray) -> float:
    """Upper bound on objective - penalty for any prices >= 0 (and <= the floor penalty on soft floors): weak duality, summed exactly."""
    return Pricing(sets, shared).bound(price)


def price_at(pricing: Pricing, price: np.ndarray) -> Prices:
    """Bound and best values at any prices >= 0."""
    best, _ = pricing.best(price)
    return Prices(price, pricing.bound(price, best), best, np.empty(0, dtype=np.int64), 0)


def _typical(sets: HcpSets) -> float:
    positive = sets.values[sets.values > 0]
    return float(np.median(positive)) if len(positive) else 1.0


def _entering(pricing: Pricing, price: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Columns that beat every column their HCP already has in the linear program."""
    sets, shared = pricing.sets, pricing.shared
    owner = sets.owner_of(columns)
    net = sets.value_of(columns) - np.asarray(shared.use_of(sets, columns).T @ (shared.sign * price))
    held = np.full(sets.hcp_count, -np.inf)
    np.maximum.at(held, owner, net)
    found, _, _ = pricing.above(price, held + 1e-12 * max(1.0, largest_value(sets)))
    return found


@dataclass(frozen=True)
class _Master:
    """The linear program over some columns: price (limits), its optimum, and the same prices chosen as in `_least_prices`."""

    price: np.ndarray
    value: float
    least: np.ndarray


def _restricted(sets: HcpSets, shared: SharedLimits, columns: np.ndarray, loosening_cost: np.ndarray, least: bool = True) -> _Master | None:
    """The linear program over `columns`, or None when they cannot hold the hard limits.

    HCPs with a single column are constants. Rows are scaled by their largest coefficient and values by the largest value, so that
    the solver's absolute tolerances mean the same on every problem.
    """
    import highspy

    part = restrict(sets, shared, columns)
    if len(part.free) == 0:
        part = restrict(sets, shared, columns, settle=False)
    part, times = alike(part)
    unit = float(np.abs(part.value).max(initial=0.0)) or 1.0
    loose, width = np.flatnonzero(np.isfinite(loosening_cost)), len(part.free)
    one = sparse.csc_matrix((np.ones(width), (part.owner, np.arange(width))), shape=(part.hcp_count, width))
    rows = shared.count + part.hcp_count
    missing = sparse.csc_matrix((-np.ones(len(loose)), (loose, np.arange(len(loose)))), shape=(rows, len(loose)))
    matrix = sparse.hstack([sparse.vstack([part.use, one]), missing], format="csc")
    matrix.sort_indices()
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = matrix.shape[1], matrix.shape[0]
    lp.sense_ = highspy.ObjSense.kMaximize
    lp.col_cost_ = np.concatenate([part.value, -(loosening_cost * shared.scale)[loose]]) / unit
    lp.col_lower_, lp.col_upper_ = np.zeros(lp.num_col_), np.full(lp.num_col_, highspy.kHighsInf)
    lp.row_lower_ = np.concatenate([np.full(shared.count, -highspy.kHighsInf), times])
    lp.row_upper_ = np.concatenate([part.rest, times])
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = matrix.indptr, matrix.indices, matrix.data
    solver = highspy.Highs()
    options = {"output_flag": False, "threads": 1, "random_seed": 0, "solver": "simplex"}
    options |= {"primal_feasibility_tolerance": 1e-9, "dual_feasibility_tolerance": 1e-10, "small_matrix_value": 1e-12}
    for name, setting in options.items():
        solver.setOptionValue(name, setting)
    solver.passModel(lp)
    solver.run()
    if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return None

    def prices_of() -> np.ndarray:
        price = np.clip(np.array(solver.getSolution().row_dual)[: shared.count] * unit / shared.scale, 0.0, loosening_cost)
        price[price * shared.scale < 1e-12 * unit] = 0.0
        return price

    price, total = prices_of(), solver.getInfo().objective_function_value * unit + part.constant
    if least and _towards_least(solver, lp, shared.count):
        return _Master(price, total, prices_of())
    return _Master(price, total, price)


def _towards_least(solver: highspy.Highs, lp: highspy.HighsLp, limits: int) -> bool:
    """Move the solved program to the one whose duals are the smallest optimal prices; False where the solver declines.

    Several price vectors are optimal where whole touches fill a limit exactly. A price is the gain per unit loosened, so the
    smallest are wanted: the duals of the program's rate of change when all limits are loosened together by their scale. There, columns
    in use may move both ways, the others only up, limits with room to spare do not matter, and each HCP's total stays.
    The rates differ in the third digit by place, which leaves one answer where two limits say the same.
    """
    import highspy

    solution, inf = solver.getSolution(), highspy.kHighsInf
    used = np.array(solution.col_value) > 1e-9
    room = np.asarray(lp.row_upper_)[:limits] - np.array(solution.row_value)[:limits]
    width, rows = lp.num_col_, lp.num_row_
    rate = 1.0 + 1e-3 * np.arange(1, limits + 1) / limits
    upper = np.concatenate([np.where(room > 1e-8, inf, rate), np.zeros(rows - limits)])
    lower = np.concatenate([np.full(limits, -inf), np.zeros(rows - limits)])
    every = np.arange(width, dtype=np.int32)
    solver.changeColsBounds(width, every, np.where(used, -inf, 0.0), np.full(width, inf))
    solver.changeRowsBounds(rows, np.arange(rows, dtype=np.int32), lower, upper)
    solver.run()
    return solver.getModelStatus() == highspy.HighsModelStatus.kOptimal


def _feasible_columns(sets: HcpSets, shared: SharedLimits, columns: np.ndarray, loosening_cost: np.ndarray) -> np.ndarray:
    """Columns able to hold the hard limits. Raises LimitsConflict where there are none."""
    cost = np.where(np.isfinite(loosening_cost), 0.0, 1.0 / shared.scale)
    _, value, columns = least_loosening(sets, shared, columns, cost)
    if value > 1e-7:
        raise LimitsConflict("hard limits contradict each other")
    return columns


def least_loosening(sets: HcpSets, shared: SharedLimits, columns: np.ndarray, cost: np.ndarray) -> tuple[np.ndarray, float, np.ndarray]:
    """(prices, least cost of loosening limits at `cost` per unit, columns reaching it), fractions of sets allowed; values play no part."""
    nothing = replace(sets, values=np.zeros_like(sets.values), bonus=None)
    pricing = Pricing(nothing, shared)
    for _ in range(ROUNDS):
        master = _restricted(nothing, shared, columns, cost, least=False)
        if master is None:
            raise LimitsConflict("no loosening was found")
        price, value = master.price, master.value
        entering = _entering(pricing, price, columns)
        if len(entering) == 0 or value > -1e-9:
            break
        columns = np.union1d(columns, entering)
    return price, -value, columns
