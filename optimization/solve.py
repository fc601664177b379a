"""From a problem to a plan with a proof: prices, then small integer programs over the columns that can still matter.

With prices y the total is at most price_bound - (what the chosen columns fall short of their HCP's best). So a plan that holds a
column falling short by d is at most price_bound - d: integer programs look at the columns with a small shortfall only, and
    upper_bound = min(price_bound, max(dual bound of the integer program, price_bound - smallest shortfall left out)).
Columns are widened until the gap is reached. The only other stop is the node limit: no clock is read, so the same input gives the same plan.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from optimization.checker import check_plan
from optimization.model import compile_model, to_highs
from optimization.prices import LimitsConflict, Prices, solve_prices
from optimization.problem import Problem
from optimization.restricted import Restricted, restrict
from optimization.sets import HcpSets, SharedLimits, build_sets, build_shared

EXACT_COLUMNS = 2000  # up to here the integer program is solved to the last digit
FIRST_COLUMNS = 3000  # undecided columns of the first integer program
MAX_COLUMNS = 40_000  # undecided columns of the largest one; small problems fit whole


@dataclass(frozen=True)
class Solution:
    """columns: one per HCP; pairs: chosen pairs, sorted; objective, penalty, upper_bound in KPI units; gap as in the contract;
    missing (limits): shortfall of soft floors; floor_penalty: KPI units per missing HCP."""

    sets: HcpSets
    shared: SharedLimits
    prices: Prices
    columns: np.ndarray
    pairs: np.ndarray
    objective: float
    penalty: float
    upper_bound: float
    gap: float
    status: str
    missing: np.ndarray
    floor_penalty: float
    nodes: int


@dataclass(frozen=True)
class Incumbent:
    """A plan found on the way: one column per HCP, its objective less penalty, and what each limit misses."""

    columns: np.ndarray
    objective: float
    penalty: float
    missing: np.ndarray

    @property
    def total(self) -> float:
        return self.objective - self.penalty


def solve(problem: Problem, say: Callable[[str], None] = lambda line: None) -> Solution:
    """The best plan to within settings.gap, or the best one at the node limit (status `feasible`).

    Raises LimitsConflict when the hard limits and pins cannot hold together, PlanInputError beyond the envelope of `sets.py`.
    """
    sets = build_sets(problem)
    if np.any(np.diff(sets.start) == 0) or not np.all(problem.eligible[problem.pins]):
        raise LimitsConflict("pins against rules inside one HCP")
    shared = build_shared(problem, sets)
    per_hcp = problem.settings.floor_penalty
    if per_hcp is None:
        per_hcp = 2.0 * float(sets.value.max(initial=0.0))
    loosening_cost = np.where(shared.soft, per_hcp, np.inf)
    prices = solve_prices(sets, shared, loosening_cost, say)
    best, bound, nodes = _search(sets, shared, prices, loosening_cost, problem, say)
    return _solution(problem, sets, shared, prices, best, bound, per_hcp, nodes)


def gap_of(upper_bound: float, total: float) -> float:
    """Relative gap of section 4 of the contract."""
    return max(0.0, upper_bound - total) / max(abs(total), 1e-9)


def incumbent_of(sets: HcpSets, shared: SharedLimits, columns: np.ndarray, loosening_cost: np.ndarray) -> Incumbent | None:
    """The plan made of these columns, or None where a hard limit is broken (relative tolerance 1e-6)."""
    missing = np.maximum(shared.sign * (shared.total_use(sets, columns) - shared.bound), 0.0)
    missing[missing <= 1e-6 * np.abs(shared.bound) + 1e-9] = 0.0
    soft = np.isfinite(loosening_cost)
    if np.any(missing[~soft] > 0):
        return None
    penalty = float((missing[soft] * loosening_cost[soft]).sum())
    return Incumbent(columns, float(sets.value[columns].sum()), penalty, missing)


def _search(
    sets: HcpSets, shared: SharedLimits, prices: Prices, loosening_cost: np.ndarray, problem: Problem, say: Callable[[str], None]
) -> tuple[Incumbent, float, int]:
    """(best plan, upper bound, nodes): integer programs over more and more columns until the gap is reached."""
    settings, short = problem.settings, prices.shortfall_of(sets)
    order = np.sort(short)
    best, bound, nodes = None, prices.bound, 0
    wanted = _first_size(sets, short)
    while True:
        reach = np.inf if wanted >= sets.column_count else float(order[wanted - 1])
        if best is not None:
            reach = min(reach, prices.bound - best.total)  # beyond it no column can be part of a better plan
        columns = np.flatnonzero(short <= max(reach, 0.0) + 1e-12)
        outside = short[short > max(reach, 0.0) + 1e-12]
        part = restrict(sets, shared, sets.value, np.union1d(columns, best.columns) if best is not None else columns)
        exact = sets.column_count <= EXACT_COLUMNS
        found, dual, used = integer_program(sets, shared, part, loosening_cost, 0.0 if exact else settings.gap / 2, settings.node_limit, best)
        nodes += used
        if found is not None and (best is None or found.total > best.total):
            best = found
        bound = min(bound, max(dual, prices.bound - float(outside.min())) if len(outside) else dual)
        if best is not None:
            bound = max(bound, best.total)
            gap = gap_of(bound, best.total)
            say(f"plan: {len(part.free)} columns, {best.total:.9g} of at most {bound:.9g}, gap {gap:.2e}")
            if len(outside) == 0 or gap <= (1e-12 if exact else settings.gap) or used >= settings.node_limit or wanted >= MAX_COLUMNS:
                return best, bound, nodes
        elif len(outside) == 0:
            raise LimitsConflict("hard limits contradict each other for whole touches")
        wanted = min(4 * wanted, sets.column_count) if best is not None or wanted < MAX_COLUMNS else sets.column_count


def _first_size(sets: HcpSets, short: np.ndarray) -> int:
    """How many columns the first integer program gets: everything when small, else all best columns and some thousand more."""
    if sets.column_count <= FIRST_COLUMNS:
        return sets.column_count
    return min(sets.column_count, int((short <= 0).sum()) + FIRST_COLUMNS)


def integer_program(
    sets: HcpSets, shared: SharedLimits, part: Restricted, loosening_cost: np.ndarray, gap: float, node_limit: int, start: Incumbent | None
) -> tuple[Incumbent | None, float, int]:
    """(best plan found, dual bound, nodes) of the integer program over the columns of `part`."""
    stuck = np.setdiff1d(np.arange(shared.count), np.unique(part.use.indices))
    if np.any((part.rest[stuck] < -1e-9 * np.maximum(1.0, np.abs(shared.bound[stuck]) / shared.scale[stuck])) & np.isinf(loosening_cost[stuck])):
        return None, -np.inf, 0
    if len(part.free) == 0:
        only = incumbent_of(sets, shared, part.settled, loosening_cost)
        return only, only.total if only else -np.inf, 0
    import highspy

    unit = float(np.abs(part.value).max()) or 1.0
    arrays = compile_model(part, loosening_cost * shared.scale)
    solver = highspy.Highs()
    options = {"output_flag": False, "threads": 1, "random_seed": 0, "mip_rel_gap": gap, "mip_abs_gap": 1e-9, "mip_max_nodes": node_limit}
    options |= {"primal_feasibility_tolerance": 1e-9, "mip_feasibility_tolerance": 1e-7}
    for name, setting in options.items():
        solver.setOptionValue(name, setting)
    solver.passModel(to_highs(arrays, unit, part.constant))
    if start is not None:
        solver.setSolution(_warm_start(part, shared, start, arrays.names))
    solver.run()
    info = solver.getInfo()
    status = solver.getModelStatus()
    if status in (highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kUnboundedOrInfeasible):
        return None, -np.inf, max(0, int(info.mip_node_count))
    if info.primal_solution_status != 2:
        return None, float(info.mip_dual_bound) * unit, int(info.mip_node_count)
    picks = np.array(solver.getSolution().col_value)[[name == "Pick" for name, _ in arrays.names]]
    index = np.array([number for name, number in arrays.names if name == "Pick"])
    weight = np.zeros(len(part.free))
    weight[index] = picks
    taken = part.free[_argmax_per_owner(part, weight)]
    plan = incumbent_of(sets, shared, np.sort(np.concatenate([part.settled, taken])), loosening_cost)
    return plan, float(info.mip_dual_bound) * unit, int(info.mip_node_count)


def _argmax_per_owner(part: Restricted, weight: np.ndarray) -> np.ndarray:
    order = np.lexsort((-weight, part.owner))
    return order[np.searchsorted(part.owner[order], np.arange(part.hcp_count))]


def _warm_start(part: Restricted, shared: SharedLimits, start: Incumbent, names: list[tuple[str, int]]):
    import highspy

    picks = np.isin(part.free, start.columns).astype(np.float64)
    missing = start.missing / shared.scale
    solution = highspy.HighsSolution()
    solution.col_value = [float(picks[i] if name == "Pick" else missing[i]) for name, i in names]
    return solution


def _solution(
    problem: Problem, sets: HcpSets, shared: SharedLimits, prices: Prices, best: Incumbent, bound: float, floor_penalty: float, nodes: int
) -> Solution:
    pairs = sets.pairs_of(best.columns)
    chosen = np.zeros(problem.pair_count, dtype=bool)
    chosen[pairs] = True
    violations = check_plan(replace(problem, settings=replace(problem.settings, floor_penalty=floor_penalty)), chosen)
    if violations:
        raise AssertionError("the solver returned a plan that breaks a rule: " + "; ".join(f"{v.label} by {v.amount:g}" for v in violations[:5]))
    noise = 1e-9 * max(abs(best.total), float(np.abs(sets.value).max(initial=0.0)))
    upper = best.total if bound - best.total <= noise else bound
    gap = gap_of(upper, best.total)
    status = "optimal" if gap <= problem.settings.gap else "feasible"
    return Solution(
        sets, shared, prices, best.columns, pairs, best.objective, best.penalty, upper, gap, status, best.missing, floor_penalty, nodes
    )
