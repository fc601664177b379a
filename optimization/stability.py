"""Staying with an earlier plan: as many of its actions as the total may cost, after a solve that knows nothing of it.

Among the plans whose objective - penalty loses at most stability_share of the solved one's, the one with most earlier actions (HCP x
channel with a touch in both plans) is wanted; of those that keep equally many, the one worth most. Up to `EXACT_COLUMNS` sets this is one
integer program. Beyond, an action kept earns w on top of its value (`HcpSets.bonus`), so that the engine itself solves
    maximise  objective - penalty + w x actions kept
and w is raised until the allowed loss is used up (Everett, 1963); what is left of it goes into an integer program over the sets near
that plan. Every plan tried is one that the solver proved allowed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from optimization.aims import Aim, best_plan
from optimization.arms import open_to_plans
from optimization.checker import check_plan, objective_of
from optimization.prices import first_prices, largest_value
from optimization.problem import Problem
from optimization.program import Incumbent, incumbent_of
from optimization.restricted import restrict
from optimization.sets import HcpSets
from optimization.shared import Pricing
from optimization.solve import EXACT_COLUMNS, Solution, solve_sets

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

TRIES = 10  # values of w whose plan is estimated from prices alone
SOLVES = 3  # values of w that are solved
CLOSE = 0.05  # of the allowed loss: near enough for a value of w
LOOSE = 0.1  # of the share: gap at which a plan with w is good enough
NEAR = 500  # sets beyond one per HCP in the last integer program
NODES = 20  # and its nodes
LAST_HCPS = 50_000  # beyond so many HCPs there is no last integer program: what it adds is less than the gap


@dataclass(frozen=True)
class Kept:
    """solution: the plan to publish, with the bound and the status of the solve; cost: objective - penalty given up, KPI units, >= 0;
    kept, earlier: actions of the earlier plan that it has, and that there were."""

    solution: Solution
    cost: float
    kept: int
    earlier: int


@dataclass(frozen=True)
class _Task:
    """stays (hcps, channels) bool: pairs of the earlier plan; least: what objective - penalty may fall to."""

    solution: Solution
    problem: Problem
    ceiling: np.ndarray
    stays: np.ndarray
    total: float
    least: float

    def kept(self, columns: np.ndarray) -> np.ndarray:
        """Actions of the earlier plan that each of these columns has."""
        sets = self.solution.sets
        touched = sets.touches > 0
        return np.count_nonzero(touched[sets.kind_of(columns)] & self.stays[sets.owner_of(columns)], axis=1)

    def plan_of(self, columns: np.ndarray) -> Incumbent | None:
        return incumbent_of(self.solution.sets, self.solution.shared, columns, self.ceiling)

    def better(self, first: Incumbent, other: Incumbent | None) -> Incumbent:
        """The one with more earlier actions among those worth enough, then with the higher total."""
        if other is None or other.total < self.least:
            return first
        return max(first, other, key=lambda plan: (int(self.kept(plan.columns).sum()), plan.total))


def earlier_touches(problem: Problem, table: pd.DataFrame | pa.Table | None) -> np.ndarray | None:
    """(pairs) touches of an earlier plan given as hcp_id, channel, touches; HCPs and channels that are gone are left out. None of None."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if table is None:
        return None
    frame = pa.table({name: pa.array(table[name]) for name in ("hcp_id", "channel")}) if not isinstance(table, pa.Table) else table
    places = []
    for name, known in (("hcp_id", problem.hcp_ids), ("channel", problem.channels)):
        text = frame[name].cast(pa.string())
        places.append(pc.fill_null(pc.index_in(text, pa.array(known, pa.string())), -1).to_numpy().astype(np.int64))
    hcp, channel = places
    count = np.nan_to_num(np.asarray(table["touches"], dtype=np.float64)).astype(np.int16)
    there = (hcp >= 0) & (channel >= 0)
    touches = np.zeros(problem.pair_count, dtype=np.int16)
    touches[hcp[there] * len(problem.channels) + channel[there]] = count[there]
    return touches


def stay(problem: Problem, solution: Solution, earlier: np.ndarray | None, say: Callable[[str], None] = lambda line: None) -> Kept:
    """The solved plan moved towards an earlier one.

    earlier (pairs): its touches, 0 where it had none or the pair is gone; None = there is no earlier plan. With nothing to keep, or a
    stability_share of 0, the solution itself comes back. An earlier plan that is allowed as it stands and loses at most the share
    is the answer, touch by touch.
    """
    share, total = problem.settings.stability_share, solution.objective - solution.penalty
    if earlier is None or share == 0 or not np.any(earlier):
        return Kept(solution, 0.0, 0, 0)
    width = len(problem.channels)
    stays = (earlier > 0).reshape(-1, width)
    ceiling = np.where(solution.shared.soft, solution.floor_penalty, np.inf)
    task = _Task(solution, problem, ceiling, stays, total, total - share * abs(total))
    count = int(stays.sum())
    whole = _as_it_stands(task, earlier)
    if whole is not None:
        say(f"stability: all {count} actions of the earlier plan stay as they are")
        return whole
    solved = Incumbent(solution.columns, solution.objective, solution.penalty, solution.missing)
    reachable = int(np.count_nonzero(stays.ravel() & open_to_plans(problem)))
    if task.kept(solution.columns).sum() == reachable:
        return Kept(solution, 0.0, reachable, count)
    best = _exactly(task, solved) if solution.sets.column_count <= EXACT_COLUMNS else _near(task, solved, say)
    kept = int(task.kept(best.columns).sum())
    given = f"{total - best.total:.4g} given up of at most {total - task.least:.4g}"
    say(f"stability: {kept} of {count} earlier actions kept, {given}")
    return Kept(_moved(task, best), max(0.0, total - best.total), kept, count)


def _as_it_stands(task: _Task, earlier: np.ndarray) -> Kept | None:
    """The earlier plan, where nothing forbids it and it loses little enough."""
    settled = replace(task.problem, settings=replace(task.problem.settings, floor_penalty=task.solution.floor_penalty))
    if check_plan(settled, earlier):
        return None
    columns = task.solution.sets.columns_of(earlier)
    plan = task.plan_of(columns) if np.all(columns >= 0) else None
    if plan is None or plan.total < task.least - 1e-9 * abs(task.total):
        return None
    count = int(task.stays.sum())
    return Kept(_moved(task, plan), max(0.0, task.total - plan.total), count, count)


def _moved(task: _Task, plan: Incumbent) -> Solution:
    """The solution with another plan: bound, prices and status stay those of the solve."""
    before, touches = task.solution, task.solution.sets.touches_of(plan.columns)
    if np.array_equal(touches, before.touches):
        return before
    settled = replace(task.problem, settings=replace(task.problem.settings, floor_penalty=before.floor_penalty))
    objective, penalty, _ = objective_of(settled, touches)
    upper = max(before.upper_bound, objective - penalty)
    gap = (upper - (objective - penalty)) / max(abs(objective - penalty), 1e-9)
    use = before.shared.total_use(before.sets, plan.columns)
    return replace(
        before, columns=plan.columns, touches=touches, objective=objective, penalty=penalty, upper_bound=upper, gap=gap, use=use,
        missing=plan.missing,
    )  # fmt: skip


def _exactly(task: _Task, solved: Incumbent) -> Incumbent:
    """The best plan by one integer program over all sets: the total counts for less than one action over all that may be given up."""
    room = max(task.solution.upper_bound, task.total) - task.least
    aim = Aim(task.least, weight=0.5 / max(room, 1e-12), nodes=task.problem.settings.node_limit)
    return task.better(solved, _most_kept(task, np.arange(task.solution.sets.column_count), solved, aim))


def _most_kept(task: _Task, columns: np.ndarray, start: Incumbent, aim: Aim) -> Incumbent | None:
    """The plan with most earlier actions among these columns, which hold `start`."""
    shared = task.solution.shared
    part = restrict(task.solution.sets, shared, columns, settle=False)
    worth = task.kept(part.free).astype(np.float64)
    known = (np.isin(part.free, start.columns).astype(np.float64), start.missing / shared.scale)
    found = best_plan(part, task.ceiling * shared.scale, worth, aim, task.problem.settings, known)
    return None if found is None else task.plan_of(part.free[found])


def _near(task: _Task, solved: Incumbent, say: Callable[[str], None]) -> Incumbent:
    """The best plan found by raising w, then by an integer program around it."""
    highest, most = 2.0 * largest_value(task.solution.sets), task.total - task.least
    w, price = _estimated(task, highest, most, task.solution.price)
    low, best, above = 0.0, solved, None
    for _ in range(SOLVES):
        plan, price = _solved(task, w, price, say)
        best, spent = task.better(best, plan), task.total - plan.total
        if spent > most:
            above = plan
            w = low + (w - low) * min(0.95, max(0.5, 0.97 * most / spent))
        elif w >= highest or spent >= (1 - CLOSE) * most or above is not None:
            break
        else:
            low, w = w, min(highest, w * min(2.0, most / max(spent, 0.5 * most)))
    if task.solution.sets.hcp_count <= LAST_HCPS:
        best = task.better(best, _around(task, best, above, w, price))
    return best


def _with_bonus(task: _Task, w: float) -> HcpSets:
    return replace(task.solution.sets, bonus=np.ascontiguousarray(w * task.stays, dtype=np.float64))


def _estimated(task: _Task, highest: float, most: float, price: np.ndarray) -> tuple[float, np.ndarray]:
    """(w up to `highest` whose plan loses about `most`, prices there), from prices alone: with y the prices at w, the bound less w x the
    actions kept by the best sets is near what the plan is worth."""
    base = task.solution.price_bound

    def loss_at(w: float, price: np.ndarray) -> tuple[float, np.ndarray]:
        pricing = Pricing(_with_bonus(task, w), task.solution.shared)
        price = first_prices(pricing, task.ceiling, price)
        best, columns = pricing.best(price)
        return base - (pricing.bound(price, best) - w * float(task.kept(columns).sum())), price

    w, low, below = highest, 0.0, 0.0
    loss, price = loss_at(w, price)
    if loss <= most:
        return w, price
    high, over = w, loss
    for number in range(TRIES):
        # Losses grow about with the square of w; every third step is a plain halving, so that the bracket always shrinks.
        share = np.sqrt(max(most - below, 0.0) / max(over - below, 1e-300))
        w = low + (high - low) * (0.5 if number % 3 == 2 else float(np.clip(share, 0.05, 0.95)))
        loss, price = loss_at(w, price)
        if abs(loss - most) <= CLOSE * most:
            break
        if loss < most:
            low, below = w, loss
        else:
            high, over = w, loss
    return w, price


def _solved(task: _Task, w: float, price: np.ndarray, say: Callable[[str], None]) -> tuple[Incumbent, np.ndarray]:
    """(the plan at this w as what it is worth without w, prices)."""
    sets, settings = _with_bonus(task, w), task.problem.settings
    earned = w * float(task.kept(task.solution.columns).sum())
    gap = max(settings.gap, LOOSE * settings.stability_share) * abs(task.total) / max(abs(task.total) + earned, 1e-9)
    prices, search = solve_sets(sets, task.solution.shared, task.ceiling, replace(settings, gap=max(gap, 1e-9)), say, price)
    plan = task.plan_of(search.best.columns)
    assert plan is not None, "a plan of the solver keeps the limits"
    return plan, prices.price


def _around(task: _Task, best: Incumbent, above: Incumbent | None, w: float, price: np.ndarray) -> Incumbent | None:
    """More earlier actions among the sets that are nearly best at w, for what is left of the allowed loss."""
    sets, shared = task.solution.sets, task.solution.shared
    pricing = Pricing(_with_bonus(task, w), shared)
    level, _ = pricing.best(price)
    reach = pricing.nearest(price, level, sets.hcp_count + NEAR)
    columns, _, _ = pricing.above(price, level - reach)
    columns = np.union1d(columns, best.columns)
    if above is not None:
        columns = np.union1d(columns, above.columns)
    return _most_kept(task, columns, best, Aim(task.least, nodes=NODES, tolerance=max(0.999, 0.001 * float(task.stays.sum()))))
