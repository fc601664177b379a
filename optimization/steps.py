"""The next step of a limit: the smallest loosening with which a better plan exists, and what that plan gains.

A price is a rate of the continuous bound; whole touches come in steps: twenty more minutes may bring nothing, and the twenty-first a visit.
`step` is the least amount in the limit's unit (an upper limit raised, a lower one lowered by it) with which a plan of higher objective -
penalty exists, `step_gain` the gain of the best plan there: z(b + step) - z(b) of whole plans, both solved anew. What "exists" rests on:

- up to `EXACT_COLUMNS` sets and a plan proven to the last digit: all plans.
- beyond, a limit inside one block of HCPs (a rep's minutes, a territory's floor): all plans of that block over the `NEAR` sets nearest to
  its best ones, limits across blocks at their prices, all other HCPs as planned.
- beyond, a limit across blocks (a total budget): plans that differ from the plan in what one HCP gets; a plan proven to a gap only
  says nothing about finer differences.
A soft floor that counts is loosened to a whole number. No step is given where none of this finds a gain.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from optimization.aims import Aim, best_plan
from optimization.blocks import Blocks, partition
from optimization.prices import largest_value
from optimization.problem import Problem
from optimization.restricted import Restricted, restrict
from optimization.shared import Pricing
from optimization.solve import EXACT_COLUMNS, Solution

LEAST_GAIN = 1e-5  # of the largest value: a plan better by less is not a better plan
NEAR = 100  # sets of a block beyond one per HCP that are looked at
NODES = 100  # of one integer program
MOVES = 50_000  # sets beyond one per HCP that are looked at for limits across blocks
MANY_HCPS, FEWER = 100_000, 3  # beyond so many HCPs so many limits at most
PRICED = 1e-9  # of the largest value, per largest use: a smaller price is none


@dataclass(frozen=True)
class _Local:
    """A part of the problem, solved exactly. part: its free columns; penalty (limits): per scaled unit; best, total: its best plan and
    what that is worth."""

    part: Restricted
    penalty: np.ndarray
    best: np.ndarray
    total: float

    def use(self, picks: np.ndarray, limit: int) -> float:
        """Scaled use of the free columns picked."""
        return float(self.part.use[limit, :].toarray().ravel()[picks].sum()) if len(picks) else 0.0


def next_steps(problem: Problem, solution: Solution, say: Callable[[str], None] = lambda line: None) -> dict[int, tuple[float, float]]:
    """(step, step_gain) by number of the limit, for the settings.step_limits tightest ones (largest price x largest use of a touch) where
    there is a step; step in the limit's unit, step_gain in KPI units."""
    weight = solution.price * solution.shared.scale
    most = problem.settings.step_limits if solution.sets.hcp_count <= MANY_HCPS else min(FEWER, problem.settings.step_limits)
    order = np.lexsort((np.arange(len(weight)), -weight))[:most]
    tight = [int(n) for n in order if weight[n] > PRICED * largest_value(solution.sets)]
    if not tight:
        return {}
    if solution.sets.column_count <= EXACT_COLUMNS:
        found = _exact(problem, solution, tight)
    else:
        blocks = partition(Pricing(solution.sets, solution.shared))
        inside = [n for n in tight if not blocks.wide[n]]
        found = {n: _in_block(problem, solution, blocks, n) for n in inside}
        found |= _single_changes(solution, [n for n in tight if blocks.wide[n]])
    steps = {n: (_plain(step[0]), _plain(step[1])) for n, step in found.items() if step is not None}
    say(f"steps: {len(steps)} of the {len(tight)} tightest limits have a next step")
    return steps


def _plain(number: float) -> float:
    """To 9 significant digits: a step of 20 minutes is a sum of scaled uses, 19.9999999999997."""
    return float(f"{number:.9g}")


def _exact(problem: Problem, solution: Solution, tight: list[int]) -> dict[int, tuple[float, float] | None]:
    total = solution.objective - solution.penalty
    if solution.upper_bound - total > LEAST_GAIN * largest_value(solution.sets):
        return {}
    part = restrict(solution.sets, solution.shared, np.arange(solution.sets.column_count), settle=False)
    local = _Local(part, _penalty(solution), np.flatnonzero(np.isin(part.free, solution.columns)), total)
    return {n: _next(problem, solution, local, n) for n in tight}


def _penalty(solution: Solution) -> np.ndarray:
    return np.where(solution.shared.soft, solution.floor_penalty * solution.shared.scale, np.inf)


def _in_block(problem: Problem, solution: Solution, blocks: Blocks, limit: int) -> tuple[float, float] | None:
    """The step of a limit inside one block. Limits across are left out and their prices charged, at which the block is solved anew."""
    sets, shared = solution.sets, solution.shared
    place = int(np.flatnonzero(blocks.row == limit)[0])
    block = int(np.searchsorted(blocks.row_start, place, side="right")) - 1
    rows = blocks.row[blocks.row_start[block] : blocks.row_start[block + 1]]
    hcps = blocks.hcp[blocks.hcp_start[block] : blocks.hcp_start[block + 1]]
    part = restrict(sets, shared, _columns_near(solution, np.sort(hcps)))
    if len(part.free) == 0:
        return None
    price = np.where(blocks.wide, solution.price, 0.0) * shared.scale
    own = np.zeros(shared.count)
    own[rows] = 1.0
    part = replace(
        part,
        value=part.value - np.asarray(part.use.T @ price).ravel(),
        use=sparse.csc_matrix(sparse.diags(own) @ part.use),
        rest=np.where(own > 0, part.rest, np.inf),
        constant=0.0,
    )
    penalty = _penalty(solution)
    start = np.flatnonzero(np.isin(part.free, solution.columns))
    best = _best(problem, part, penalty, start)
    return None if best is None else _next(problem, solution, _Local(part, penalty, best, _worth(part, penalty, best)), limit)


def _columns_near(solution: Solution, hcps: np.ndarray) -> np.ndarray:
    """The planned column of every HCP and, for these HCPs, the ones nearest to their best, `NEAR` of them."""
    sets = solution.sets
    mine = np.concatenate([np.arange(sets.start[h], sets.start[h + 1]) for h in hcps.tolist()])
    net = sets.value_of(mine) - np.asarray(solution.shared.use_of(sets, mine).T @ (solution.shared.sign * solution.price))
    short = solution.best[sets.owner_of(mine)] - net
    keep = np.argsort(short, kind="stable")[: len(hcps) + NEAR]
    return np.union1d(solution.columns, mine[keep])


def _best(problem: Problem, part: Restricted, penalty: np.ndarray, start: np.ndarray) -> np.ndarray | None:
    """The best picks of a part; start: picks that keep its limits."""
    aim = Aim(-1e300, weight=1.0, nodes=NODES)
    return best_plan(part, penalty, np.zeros(len(part.free)), aim, problem.settings, _known(part, start))


def _known(part: Restricted, picks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.isin(np.arange(len(part.free)), picks).astype(np.float64), _short(part, picks)


def _short(part: Restricted, picks: np.ndarray) -> np.ndarray:
    return np.maximum(np.asarray(part.use[:, picks].sum(axis=1)).ravel() - part.rest, 0.0)


def _worth(part: Restricted, penalty: np.ndarray, picks: np.ndarray) -> float:
    short, soft = _short(part, picks), np.isfinite(penalty)
    return part.constant + float(part.value[picks].sum() - (short[soft] * penalty[soft]).sum())


def _next(problem: Problem, solution: Solution, local: _Local, limit: int) -> tuple[float, float] | None:
    """The least excess of the limit among plans that are better, then the best plan with that excess allowed."""
    part, scale = local.part, solution.shared.scale[limit]
    enough = LEAST_GAIN * largest_value(solution.sets)
    aim = Aim(local.total + enough, relaxed=limit, nodes=NODES)
    better = best_plan(part, local.penalty, np.zeros(len(part.free)), aim, problem.settings)
    if better is None:
        return None
    excess = local.use(better, limit) - part.rest[limit]
    if solution.shared.soft[limit]:
        # What a floor misses costs its penalty by the HCP: one HCP fewer asked for is the smallest step that anybody can take.
        bound = solution.shared.bound[limit]
        step = bound - np.ceil(bound - 1.0 - 1e-9)
    else:
        step = excess * scale
    if step <= 1e-9 * max(1.0, scale):
        return None
    rest = part.rest.copy()
    rest[limit] += step / scale * (1 + 1e-12)
    wider = replace(part, rest=rest)
    best = _best(problem, wider, local.penalty, local.best if solution.shared.soft[limit] else better)
    if best is None:
        return None
    gain = _worth(wider, local.penalty, best) - local.total
    return (float(step), float(gain)) if gain >= enough else None


def _single_changes(solution: Solution, limits: list[int]) -> dict[int, tuple[float, float] | None]:
    """The steps of limits with which another set of one HCP, all else as planned, makes the plan better and keeps every other limit."""
    if not limits:
        return {}
    sets, shared = solution.sets, solution.shared
    pricing = Pricing(sets, shared)
    reach = pricing.nearest(solution.price, solution.best, sets.hcp_count + MOVES)
    columns, _, _ = pricing.above(solution.price, solution.best - reach)
    hcp = sets.owner_of(columns)
    before = solution.columns[hcp]
    gain = sets.value_of(columns) - sets.value_of(before)
    shift = (shared.use_of(sets, columns) - shared.use_of(sets, before)).tocsr()
    shift = sparse.diags(shared.sign) @ shift
    room = shared.sign * (shared.bound - solution.use)
    soft = np.flatnonzero(shared.soft)
    if len(soft):
        moved = shift[soft].toarray()
        more = np.maximum(moved - room[soft, None], 0.0) - np.maximum(-room[soft], 0.0)[:, None]
        gain = gain - solution.floor_penalty * more.sum(axis=0)
    slack = np.maximum(room, 0.0) + 1e-9 * shared.scale
    over = shift.tocoo()
    broken = (over.data > slack[over.row]) & ~shared.soft[over.row]
    times = np.bincount(over.col[broken], minlength=len(columns))
    enough, found = LEAST_GAIN * largest_value(sets), {}
    shift = shift.tocsr()
    for limit in limits:
        asked = shift[limit].toarray().ravel()
        mine = np.flatnonzero((asked > slack[limit]) & (gain >= enough) & (times == (0 if shared.soft[limit] else 1)))
        found[limit] = None
        if len(mine):
            need = asked[mine] - max(room[limit], 0.0)
            least = need.min()
            found[limit] = (float(least), float(gain[mine][need <= least + 1e-9 * shared.scale[limit]].max()))
    return found
