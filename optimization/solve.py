"""From a problem to a plan with a proof: prices, then small integer programs over the columns that can still matter.

With prices y the total is at most price_bound - (what the chosen columns fall short of their HCP's best). So a plan that holds a
column falling short by d is at most price_bound - d: integer programs look at the columns with a small shortfall only, and
    upper_bound = min(price_bound, max(dual bound of the program, price_bound - smallest shortfall left out)).
Columns are widened until the gap is reached. The only other stop is the node limit: no clock is read, so the same input
gives the same plan.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from optimization.blocks import block_problems, partition
from optimization.checker import check_plan
from optimization.fitting import fitting
from optimization.passes import BlockPlans, Wide, price_again, wide_box
from optimization.prices import LimitsConflict, Prices, price_all, solve_prices
from optimization.problem import PlanSettings, Problem
from optimization.program import Incumbent, integer_program
from optimization.restricted import restrict
from optimization.sets import HcpSets, SharedLimits, best_per_hcp, build_sets, build_shared

EXACT_COLUMNS = 600  # problems up to so many columns are solved to the last digit, not to settings.gap
NARROW = 5000  # columns beyond one per HCP up to which a proof by the prices alone is tried
FIRST_EXTRA = 500  # columns beyond one per HCP of the first integer program around the core
MOST_EXTRA = 15_000  # and of the last one
MOST_PASSES = 6  # over the blocks, each at other prices of the limits across


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
class Case:
    """A problem as the search sees it: the whole one, or one block."""

    sets: HcpSets
    shared: SharedLimits
    prices: Prices
    loosening_cost: np.ndarray


@dataclass(frozen=True)
class Search:
    """Best plan so far (None = none yet), proven upper bound, branch-and-bound nodes spent."""

    best: Incumbent | None
    bound: float
    nodes: int


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
    whole, limits, priced, kept = fitting(sets, shared, prices)
    search = _search(Case(whole, limits, priced, loosening_cost), problem.settings, say)
    search = replace(search, best=replace(search.best, columns=kept[search.best.columns]), bound=min(search.bound, prices.bound))
    return _solution(problem, sets, shared, prices, search, per_hcp)


def gap_of(upper_bound: float, total: float) -> float:
    """Relative gap of section 4 of the contract."""
    return max(0.0, upper_bound - total) / max(abs(total), 1e-9)


def _search(whole: Case, settings: PlanSettings, say: Callable[[str], None]) -> Search:
    """The best plan and the bound of the whole problem.

    Narrow integer programs first; when their proof would need too many columns, the blocks give a better bound and the core of a
    better plan, and integer programs around that core put the wide limits right.
    """
    noise = 1e-9 * max(1e-9, float(np.abs(whole.sets.value).max(initial=0.0)))
    relative = settings.gap if whole.sets.column_count > EXACT_COLUMNS else 0.0
    search = widen(whole, Search(None, whole.prices.bound, 0), lambda total: max(noise, relative * abs(total)), settings, say)
    if search.best is not None and gap_of(search.bound, search.best.total) <= settings.gap:
        return search
    label, wide = partition(whole.shared, whole.sets.hcp_count)
    if label.max(initial=0) == 0:
        return _around(whole, search.best.columns, search, settings, say, MOST_EXTRA)
    return _with_blocks(whole, label, wide, search, settings, say)


def widen(case: Case, search: Search, tolerance: Callable[[float], float], settings: PlanSettings, say: Callable[[str], None]) -> Search:
    """Integer programs over more and more columns by shortfall, until bound - total <= tolerance(total) or `NARROW` columns are passed."""
    short = case.prices.shortfall_of(case.sets)
    order = np.sort(short)
    wanted = int((short <= 0).sum()) + min(max(60, case.sets.hcp_count // 4), FIRST_EXTRA)
    while True:
        reach = float(order[min(wanted, len(order)) - 1]) if wanted < len(order) else np.inf
        if search.best is not None:
            # beyond it no column can be part of a plan that is better by more than the tolerance
            reach = min(reach, case.prices.bound - search.best.total - tolerance(search.best.total))
        inside = short <= max(reach, 0.0) + 1e-12
        columns = np.flatnonzero(inside)
        leave = tolerance(search.bound if search.best is None else search.best.total) / 2
        if search.best is not None:
            columns = np.union1d(columns, search.best.columns)
        search, spent = _attempt(case, search, columns, float(short[~inside].min(initial=np.inf)), leave, settings, say)
        if search.best is None and inside.all():
            raise LimitsConflict("hard limits contradict each other for whole touches")
        if search.best is not None:
            close = search.bound - search.best.total <= tolerance(search.best.total)
            if close or inside.all() or spent >= settings.node_limit:
                return search
            needed = int((short <= case.prices.bound - search.best.total).sum()) - case.sets.hcp_count
            if needed > NARROW or wanted - case.sets.hcp_count > NARROW:
                return search
            wanted = max(2 * wanted, needed + case.sets.hcp_count)
        else:
            wanted = 4 * wanted


def _attempt(
    case: Case, search: Search, columns: np.ndarray, outside: float, tolerance: float, settings: PlanSettings, say: Callable[[str], None]
) -> tuple[Search, int]:
    """One integer program over `columns`; `outside`: smallest shortfall of a column left out; tolerance: KPI units that
    the program may leave unproven. (better search, nodes spent)."""
    part = restrict(case.sets, case.shared, case.sets.value, columns)
    found, dual, spent = integer_program(case.sets, case.shared, part, case.loosening_cost, tolerance, settings, search.best)
    best = search.best
    if found is not None and (best is None or found.total > best.total):
        best = found
    bound = min(search.bound, max(dual, case.prices.bound - outside))
    if best is not None:
        bound = max(bound, best.total)
        say(f"plan: {len(part.free)} columns, {best.total:.9g} of at most {bound:.9g}, gap {gap_of(bound, best.total):.2e}")
    return Search(best, bound, search.nodes + spent), spent


def _with_blocks(
    whole: Case, label: np.ndarray, wide: np.ndarray, search: Search, settings: PlanSettings, say: Callable[[str], None]
) -> Search:
    """Passes over the blocks, each followed by an integer program over the columns of all their plans; rounds around those at the end."""
    allowed = settings.gap * abs(whole.prices.bound)
    box = wide_box(whole.sets, whole.shared, whole.prices.price, wide, whole.loosening_cost)
    plans: list[BlockPlans] = []
    price: np.ndarray | None = whole.prices.price
    core = np.empty(0, dtype=np.int64)
    while price is not None and len(plans) < MOST_PASSES:
        prices = price_all(whole.sets, whole.shared, price)
        found, nodes = _solve_blocks(replace(whole, prices=prices), label, wide, box, 0.3 * allowed, settings)
        plans.append(found)
        core = np.union1d(core, found.columns)
        search = replace(search, bound=min(search.bound, found.bound), nodes=search.nodes + nodes)
        say(f"blocks: {int(label.max()) + 1} with {len(box.number)} limits across, pass {len(plans)}, bound {found.bound:.9g}")
        search = _around(whole, core, search, settings, say, FIRST_EXTRA)
        if search.best is not None and gap_of(search.bound, search.best.total) <= settings.gap:
            return search
        price = price_again(whole.shared, box, plans, 0.6 * allowed)
    return _around(whole, core, search, settings, say, MOST_EXTRA)


def _solve_blocks(
    case: Case, label: np.ndarray, wide: np.ndarray, box: Wide, allowed: float, settings: PlanSettings
) -> tuple[BlockPlans, int]:
    """One pass over the blocks at the case's prices; (plans, nodes). HCPs without a limit of their own take their best column."""
    sets, shared = case.sets, case.shared
    _, core = best_per_hcp(sets, case.prices.priced)
    blocks = block_problems(sets, shared, case.prices, case.loosening_cost, label, wide)
    bound, nodes, penalty = case.prices.bound, 0, np.zeros(int(label.max()) + 1)
    for block in blocks:
        mine = Case(block.sets, block.shared, block.prices, block.loosening_cost)
        each = allowed / len(blocks)
        search = widen(mine, Search(None, block.prices.bound, 0), lambda total: each, settings, lambda line: None)  # noqa: B023
        bound -= block.prices.bound - search.bound
        nodes += search.nodes
        columns = block.columns[search.best.columns]
        core[sets.hcp[columns]] = columns
        penalty[label[sets.hcp[columns[0]]]] += search.best.penalty
    group, count = label[sets.hcp[core]], len(penalty)
    use = sparse.diags(shared.sign[box.number] / shared.scale[box.number]) @ shared.use_of(sets, core)[box.number]
    member = sparse.csr_matrix((np.ones(len(core)), (np.arange(len(core)), group)), shape=(len(core), count))
    worth = np.bincount(group, weights=sets.value[core], minlength=count) - penalty
    return BlockPlans(case.prices.price, core, bound, worth, (use @ member).toarray().T), nodes


def _around(whole: Case, core: np.ndarray, search: Search, settings: PlanSettings, say: Callable[[str], None], most: int) -> Search:
    """Integer programs over the core and the columns nearest to it, more of them each round up to `most`, until the gap is reached."""
    short = whole.prices.shortfall_of(whole.sets)
    order = np.sort(short)
    extra = FIRST_EXTRA
    while True:
        reach = order[min(whole.sets.hcp_count + extra, len(order)) - 1]
        columns = np.union1d(np.flatnonzero(short <= reach), core)
        if search.best is not None:
            columns = np.union1d(columns, search.best.columns)
        outside = np.inf if reach >= order[-1] else float(order[np.searchsorted(order, reach, side="right")])
        search, spent = _attempt(whole, search, columns, outside, settings.gap / 4 * abs(search.bound), settings, say)
        if search.best is not None and gap_of(search.bound, search.best.total) <= settings.gap:
            return search
        if search.best is not None and (extra >= most or outside == np.inf or spent >= settings.node_limit):
            return search
        if search.best is None and outside == np.inf:
            raise LimitsConflict("hard limits contradict each other for whole touches")
        extra *= 3


def _solution(problem: Problem, sets: HcpSets, shared: SharedLimits, prices: Prices, search: Search, floor_penalty: float) -> Solution:
    best, bound = search.best, search.bound
    pairs = sets.pairs_of(best.columns)
    chosen = np.zeros(problem.pair_count, dtype=bool)
    chosen[pairs] = True
    violations = check_plan(replace(problem, settings=replace(problem.settings, floor_penalty=floor_penalty)), chosen)
    if violations:
        raise AssertionError(
            "the solver returned a plan that breaks a rule: " + "; ".join(f"{v.label} by {v.amount:g}" for v in violations[:5])
        )
    noise = 1e-9 * max(abs(best.total), float(np.abs(sets.value).max(initial=0.0)))
    upper = best.total if bound - best.total <= noise else bound
    gap = gap_of(upper, best.total)
    status = "optimal" if gap <= problem.settings.gap else "feasible"
    return Solution(
        sets,
        shared,
        prices,
        best.columns,
        pairs,
        best.objective,
        best.penalty,
        upper,
        gap,
        status,
        best.missing,
        floor_penalty,
        search.nodes,
    )
