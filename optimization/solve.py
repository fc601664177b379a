"""From a problem to a plan with a proof: prices, blocks, then small integer programs over the columns that can still matter.

With prices y the total is at most price_bound - (what the chosen columns fall short of their HCP's best). So a plan that holds a
column falling short by d is at most price_bound - d: integer programs look at the columns with a small shortfall only, and
    upper_bound = min(price_bound, max(dual bound of the program, price_bound - smallest shortfall left out)).
Where limits fall into blocks (reps), each block is solved exactly at the prices of the few wide limits (`blocks.py`), which bounds
the whole more tightly, and a small integer program over near-best changes of the blocks' plans puts the wide limits right.
Effort is counted in nodes, states and rounds: no clock is read, so the same input gives the same plan.
"""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy import sparse

from optimization.blocks import BlockPass, Blocks, partition
from optimization.checker import check_plan, uses_of
from optimization.choice import choose
from optimization.fitting import fitting
from optimization.passes import BlockPlans, price_again, wide_box
from optimization.prices import MANY, LimitsConflict, Prices, first_prices, largest_value, price_at, solve_prices
from optimization.problem import PlanSettings, Problem
from optimization.program import Incumbent, incumbent_of, integer_program
from optimization.proof import assert_identity
from optimization.restricted import restrict
from optimization.sets import BeyondEnvelope, HcpSets, build_sets
from optimization.shared import Pricing, SharedLimits, build_shared

EXACT_COLUMNS = 600  # problems up to so many columns are solved to the last digit, not to settings.gap
NARROW = 5000  # columns beyond one per HCP up to which a proof by the prices alone is tried
FIRST_EXTRA = 500  # columns beyond one per HCP of the first integer program around the core
MOST_EXTRA = 15_000  # and of the last one
MOST_PASSES = 6  # over the blocks, each at other prices of the limits across
STALLED = 0.9  # share of the gap that may be left after a pass over few blocks: what leaves more is no use again
STEPS, STATES = 24, 4000  # of one block: tries to improve its own prices, states of its search
FIRST_STATES = 1500  # of very many blocks in the first pass: it mostly does, and the next one has more
ASKED_BLOCKS = 125  # blocks asked for other plans: listing them takes ten times as long as finding the best one
OTHER_PLANS, SPREAD = 20, 3.0  # how many, and how far from the best one, in shares of what may stay open per asked block
MANY_BLOCKS = 1000  # blocks from which plans at tilted prices are asked for at once
CHANGES, CHANGES_SHARE = 2500, 0.0125  # near-best changes of the blocks' plans to choose from
WARM_COLUMNS = 20_000  # columns beyond which a warm start is not followed by the exact prices of z_LP
THREADS = 2


@dataclass(frozen=True)
class Solution:
    """touches (pairs) int16: the plan; columns: the same, one per HCP; objective, penalty, upper_bound, price_bound in KPI units; gap as in
    the contract; price, use, missing (limits): prices, use, shortfall of soft floors; best (hcps): best priced value;
    floor_penalty: KPI units per missing HCP; nodes: of branch and bound; solver: how the plan was found, in words."""

    sets: HcpSets
    shared: SharedLimits
    prices: Prices
    columns: np.ndarray
    touches: np.ndarray
    objective: float
    penalty: float
    upper_bound: float
    gap: float
    status: str
    use: np.ndarray
    missing: np.ndarray
    floor_penalty: float
    nodes: int
    solver: str

    @property
    def pairs(self) -> np.ndarray:
        """Sorted numbers of the pairs with a touch."""
        return np.flatnonzero(self.touches)

    @property
    def price_bound(self) -> float:
        return self.prices.bound

    @property
    def price(self) -> np.ndarray:
        return self.prices.price

    @property
    def best(self) -> np.ndarray:
        return self.prices.best

    @cached_property
    def forced(self) -> np.ndarray:
        """(pairs) best priced value of the HCP with at least one touch of the pair, -inf where no allowed set holds it."""
        return Pricing(self.sets, self.shared).forced(self.prices.price)


@dataclass(frozen=True)
class Case:
    """A problem as the search sees it."""

    pricing: Pricing
    prices: Prices
    loosening_cost: np.ndarray

    @property
    def sets(self) -> HcpSets:
        return self.pricing.sets

    @property
    def shared(self) -> SharedLimits:
        return self.pricing.shared


@dataclass(frozen=True)
class Search:
    """Best plan so far (None = none yet), proven upper bound, branch-and-bound nodes spent, what was done in words."""

    best: Incumbent | None
    bound: float
    nodes: int
    method: str = "integer programs over sets of touches near the prices of z_LP"

    def gap(self) -> float:
        return np.inf if self.best is None else gap_of(self.bound, self.best.total)


def solve(problem: Problem, say: Callable[[str], None] = lambda line: None, start: Solution | None = None) -> Solution:
    """The best plan to within settings.gap, or the best one at the node limit (status `feasible`).

    start: a solution of the same HCPs, channels and limits at other bounds or values; its prices are where the search begins, and on a
    large problem the prices found are near those of z_LP, not exactly them.
    Raises LimitsConflict when the hard limits and pins cannot hold together. Beyond the envelope of `sets.py`: `generated.py`, slower.
    """
    try:
        sets = build_sets(problem, THREADS)
    except BeyondEnvelope:
        from optimization.generated import solve_generated

        return solve_generated(problem, say, start)
    if np.any(np.diff(sets.start) == 0) or not np.all(problem.eligible[problem.pins]):
        raise LimitsConflict("pins against rules inside one HCP")
    shared = build_shared(problem, sets)
    per_hcp = floor_penalty_of(problem, sets)
    loosening_cost = np.where(shared.soft, per_hcp, np.inf)
    warm = start.price if start is not None and len(start.price) == shared.count else None
    prices, search = solve_sets(sets, shared, loosening_cost, problem.settings, say, warm)
    return solution_of(problem, sets, shared, prices, search, per_hcp)


def floor_penalty_of(problem: Problem, sets: HcpSets) -> float:
    """KPI units per HCP missing on a soft floor: the setting, else twice the largest V(S) of one HCP."""
    if problem.settings.floor_penalty is not None:
        return problem.settings.floor_penalty
    free = np.zeros((1, sets.channel_count))
    nothing = SharedLimits(
        np.empty(0), np.empty(0), np.empty(0, dtype=bool), np.zeros(sets.hcp_count, dtype=np.int32), 1,
        np.empty((0, sets.channel_count), dtype=bool), sparse.csr_matrix((0, free.size)),
    )  # fmt: skip
    best, _ = Pricing(sets, nothing).best(np.empty(0))
    return 2.0 * max(0.0, float(best.max(initial=0.0)))


def solve_sets(
    sets: HcpSets,
    shared: SharedLimits,
    loosening_cost: np.ndarray,
    settings: PlanSettings,
    say: Callable[[str], None] = lambda line: None,
    warm: np.ndarray | None = None,
    exact: int | None = None,
) -> tuple[Prices, Search]:
    """(prices, best plan and bound) of sets under limits; the plan's columns are those of `sets`.

    warm (limits): prices of a problem much like this one, from which those of a large one are brought near z_LP and left there;
    exact: columns up to which the gap asked for is 0 whatever the settings say (None = `EXACT_COLUMNS`).
    """
    if sets.column_count > MANY:
        # the last choice needs it, and it takes a second: compiled passes leave the interpreter free meanwhile
        threading.Thread(target=importlib.import_module, args=("pyomo.environ",), daemon=True).start()
    if warm is not None and sets.column_count > WARM_COLUMNS:
        pricing = Pricing(sets, shared)
        prices = price_at(pricing, first_prices(pricing, loosening_cost, warm))
    else:
        prices = solve_prices(sets, shared, loosening_cost, say, warm)
    fit = fitting(sets, shared)
    pricing = Pricing(fit.sets, fit.shared)
    priced = prices if fit.place is None else price_at(pricing, prices.price)
    search = _search(Case(pricing, priced, loosening_cost), settings, say, EXACT_COLUMNS if exact is None else exact)
    return prices, replace(search, best=replace(search.best, columns=fit.back(search.best.columns)), bound=min(search.bound, prices.bound))


def gap_of(upper_bound: float, total: float) -> float:
    """Relative gap of section 4 of the contract."""
    return max(0.0, upper_bound - total) / max(abs(total), 1e-9)


def _search(whole: Case, settings: PlanSettings, say: Callable[[str], None], exact: int) -> Search:
    """The best plan and the bound of the whole problem.

    Blocks first where there are several; narrow integer programs where there are none, or where the blocks leave something open;
    integer programs around the best plans of the blocks at the end.
    """
    search, core = Search(None, whole.prices.bound, 0), np.empty(0, dtype=np.int64)
    if whole.sets.column_count > exact:
        blocks = partition(whole.pricing)
        if blocks.count > 1 or (blocks.count and blocks.wide.any()):
            search, core = _with_blocks(whole, blocks, search, settings, say)
            if search.gap() <= settings.gap:
                return search
    noise = 1e-9 * max(1e-9, largest_value(whole.sets))
    relative = settings.gap if whole.sets.column_count > exact else 0.0
    search = widen(whole, search, lambda total: max(noise, relative * abs(total)), settings, say)
    if search.gap() <= settings.gap:
        return search
    return _around(whole, np.union1d(core, search.best.columns), search, settings, say, MOST_EXTRA)


def _near(case: Case, reach: float) -> tuple[np.ndarray, float]:
    """(columns that fall short of their HCP's best by at most reach, smallest shortfall of a column left out)."""
    columns, _, below = case.pricing.above(case.prices.price, case.prices.best - reach)
    return columns, reach + below


def widen(case: Case, search: Search, tolerance: Callable[[float], float], settings: PlanSettings, say: Callable[[str], None]) -> Search:
    """Integer programs over more and more columns by shortfall, until bound - total <= tolerance(total) or `NARROW` columns are passed."""
    hcps = case.sets.hcp_count
    wanted = hcps + min(max(60, hcps // 4), FIRST_EXTRA)
    while True:
        reach = case.pricing.nearest(case.prices.price, case.prices.best, wanted)
        if search.best is not None:
            # beyond it no column can be part of a plan that is better by more than the tolerance
            reach = min(reach, case.prices.bound - search.best.total - tolerance(search.best.total))
        columns, outside = _near(case, max(reach, 0.0) + 1e-12 * largest_value(case.sets))
        leave = tolerance(search.bound if search.best is None else search.best.total) / 2
        if search.best is not None:
            columns = np.union1d(columns, search.best.columns)
        search, spent = _attempt(case, search, columns, outside, leave, settings, say)
        if search.best is None and outside == np.inf:
            _give_up(search)
        if search.best is not None:
            close = search.bound - search.best.total <= tolerance(search.best.total)
            if close or outside == np.inf or spent >= settings.node_limit:
                return search
            needed = len(_near(case, case.prices.bound - search.best.total)[0])
            if needed - hcps > NARROW or wanted - hcps > NARROW:
                return search
            wanted = max(2 * wanted, needed)
        else:
            wanted = 4 * wanted


def _give_up(search: Search) -> None:
    """Nothing is left out and there is no plan: a conflict where that is proven, an error of ours where the search only ended."""
    if search.bound == -np.inf:
        raise LimitsConflict("hard limits contradict each other for whole touches")
    raise RuntimeError(f"no plan was found in {search.nodes} nodes, and none was ruled out; raise nba_node_limit")


def _attempt(
    case: Case, search: Search, columns: np.ndarray, outside: float, tolerance: float, settings: PlanSettings, say: Callable[[str], None]
) -> tuple[Search, int]:
    """One integer program over `columns`; `outside`: smallest shortfall of a column left out; tolerance: KPI units that
    the program may leave unproven. (better search, nodes spent)."""
    part = restrict(case.sets, case.shared, columns)
    found, dual, spent = integer_program(case.sets, case.shared, part, case.loosening_cost, tolerance, settings, search.best)
    best = search.best
    if found is not None and (best is None or found.total > best.total):
        best = found
    bound = min(search.bound, max(dual, case.prices.bound - outside))
    if best is not None:
        bound = max(bound, best.total)
        say(f"plan: {len(part.free)} columns, {best.total:.9g} of at most {bound:.9g}, gap {gap_of(bound, best.total):.2e}")
    return replace(search, best=best, bound=bound, nodes=search.nodes + spent), spent


def _with_blocks(
    whole: Case, blocks: Blocks, search: Search, settings: PlanSettings, say: Callable[[str], None]
) -> tuple[Search, np.ndarray]:
    """(search, columns of the blocks' plans): passes over the blocks, each followed by a choice among changes that cost next to nothing."""
    allowed = settings.gap * abs(whole.prices.bound)
    box = wide_box(whole.sets, whole.shared, whole.prices.price, blocks.wide, whole.loosening_cost)
    plans: list[BlockPlans] = []
    earlier: list[np.ndarray] = []
    price: np.ndarray | None = whole.prices.price
    core = np.empty(0, dtype=np.int64)
    spread, asked = np.zeros(blocks.count), min(blocks.count, ASKED_BLOCKS)
    spread[np.unique(np.linspace(0, blocks.count - 1, asked).astype(np.int64))] = SPREAD * allowed / asked
    search = replace(search, method="blocks solved exactly at the prices of the limits across, and a choice among near-best changes")
    while price is not None and len(plans) < MOST_PASSES:
        before = search.gap()
        states = FIRST_STATES if blocks.count > MANY_BLOCKS and not plans else STATES
        found = blocks.solve(price, whole.loosening_cost, STEPS, spread, states, OTHER_PLANS)
        core = np.union1d(core, found.columns)
        search = replace(search, bound=min(search.bound, found.bound))
        say(f"blocks: {blocks.count} with {len(box.number)} limits across, pass {len(plans) + 1}, bound {found.bound:.9g}")
        if not found.unsolved.any():
            search = _choose(whole, blocks, found, search, settings, say, earlier)
            earlier.append(found.columns)
        if search.gap() <= settings.gap:
            return search, core
        if blocks.count <= ASKED_BLOCKS and STALLED * before < search.gap() < np.inf:
            break
        plans.append(_block_plans(whole, blocks, found))
        # of many blocks another pass brings plans to mix with these, whatever it does to the bound: nothing else would
        price = price_again(whole.shared, box, plans, -np.inf if blocks.count > ASKED_BLOCKS else 0.3 * allowed)
    return search, core


def _choose(
    whole: Case,
    blocks: Blocks,
    found: BlockPass,
    search: Search,
    settings: PlanSettings,
    say: Callable[[str], None],
    earlier: Sequence[np.ndarray],
) -> Search:
    """The search with the better of its plan and the one chosen; plans at tilted prices are asked for where near-best ones do not do.
    earlier: columns of the passes before."""
    allowed = settings.gap * abs(search.bound)
    most = max(CHANGES, int(CHANGES_SHARE * whole.sets.hcp_count))
    hopeless = blocks.count > MANY_BLOCKS and not earlier
    for tilted in [False, True][hopeless : 1 + (blocks.count > ASKED_BLOCKS)]:
        columns = choose(blocks, found, whole.loosening_cost, most, 0.4 * allowed, settings, earlier, tilted)
        best = None if columns is None else incumbent_of(whole.sets, whole.shared, columns, whole.loosening_cost)
        if best is not None and (search.best is None or best.total > search.best.total):
            search = replace(search, best=best)
        if search.gap() <= settings.gap:
            break
    if search.best is not None:
        say(f"plan: {search.best.total:.9g} of at most {search.bound:.9g}, gap {search.gap():.2e}")
    return search


def _block_plans(whole: Case, blocks: Blocks, found: BlockPass) -> BlockPlans:
    """What the linear program over block plans needs to know: value less penalties and wide use per block, all other HCPs as one."""
    sets, shared, columns = whole.sets, whole.shared, found.columns
    group = np.where(blocks.label < 0, blocks.count, blocks.label)
    worth = np.bincount(group, weights=sets.value_of(columns), minlength=blocks.count + 1)
    short = np.maximum(shared.sign * (shared.total_use(sets, columns) - shared.bound), 0.0)
    own = np.flatnonzero(shared.soft & ~blocks.wide & (short > 0))
    at = np.searchsorted(blocks.row_start, np.argsort(blocks.row)[np.searchsorted(np.sort(blocks.row), own)], side="right") - 1
    np.subtract.at(worth, at, short[own] * whole.loosening_cost[own])
    number = np.flatnonzero(blocks.wide)
    counts = _group_counts(blocks, columns, group)
    scaled = sparse.diags(shared.sign[number] / shared.scale[number]) @ shared.coefficient[number]
    return BlockPlans(found.price, columns, found.bound, worth, np.asarray((counts @ scaled.T).todense()))


def _group_counts(blocks: Blocks, columns: np.ndarray, group: np.ndarray) -> sparse.csr_matrix:
    """(groups, profiles * features) what the groups touch."""
    sets, shared = blocks.pricing.sets, blocks.pricing.shared
    kinds, which = np.unique(sets.kind_of(columns), return_inverse=True)
    features = sparse.csr_matrix(shared.features(sets)[kinds])[which]
    row = np.repeat(np.arange(len(columns)), np.diff(features.indptr))
    cell = shared.profile[row].astype(np.int64) * shared.width + features.indices
    shape = (blocks.count + 1, shared.profile_count * shared.width)
    return sparse.csr_matrix((features.data, (group[row], cell)), shape=shape)


def _around(whole: Case, core: np.ndarray, search: Search, settings: PlanSettings, say: Callable[[str], None], most: int) -> Search:
    """Integer programs over the core and the columns nearest to it, more of them each round up to `most`, until the gap is reached."""
    extra = FIRST_EXTRA
    while True:
        reach = whole.pricing.nearest(whole.prices.price, whole.prices.best, whole.sets.hcp_count + extra)
        columns, outside = _near(whole, reach)
        columns = np.union1d(columns, core)
        if search.best is not None:
            columns = np.union1d(columns, search.best.columns)
        search, spent = _attempt(whole, search, columns, outside, settings.gap / 4 * abs(search.bound), settings, say)
        if search.gap() <= settings.gap:
            return search
        if search.best is not None and (extra >= most or outside == np.inf or spent >= settings.node_limit):
            return search
        if search.best is None and outside == np.inf:
            _give_up(search)
        extra *= 3


def solution_of(problem: Problem, sets: HcpSets, shared: SharedLimits, prices: Prices, search: Search, floor_penalty: float) -> Solution:
    """The answer as everybody reads it, its plan checked by the independent checker."""
    best, bound = search.best, search.bound
    touches = sets.touches_of(best.columns)
    used = uses_of(problem, touches)
    violations = check_plan(replace(problem, settings=replace(problem.settings, floor_penalty=floor_penalty)), touches, used)
    if violations:
        raise AssertionError(
            "the solver returned a plan that breaks a rule: " + "; ".join(f"{v.label} by {v.amount:g}" for v in violations[:5])
        )
    noise = 1e-9 * max(abs(best.total), largest_value(sets))
    upper = best.total if bound - best.total <= noise else bound
    gap = gap_of(upper, best.total)
    status = "optimal" if gap <= problem.settings.gap else "feasible"
    use = shared.total_use(sets, best.columns)
    found = Solution(
        sets, shared, prices, best.columns, touches, best.objective, best.penalty, upper, gap, status, use, best.missing,
        floor_penalty, search.nodes, search.method,
    )  # fmt: skip
    assert_identity(problem, found, used)
    return found
