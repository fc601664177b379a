"""What it takes to put one pair into the plan: the exact rise of its value, between proven bounds.

Let the pair's value rise by d, all its touches together. Plans without the pair are worth what they were, plans with it d more, so it
is in an optimal plan as soon as z(pair forced in) + d >= z, and the threshold is z - z(pair forced in).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from optimization.prices import LimitsConflict
from optimization.problem import Problem
from optimization.scenario import force

if TYPE_CHECKING:
    from optimization.solve import Solution

EXACT = 1e-9  # of the plan's total: an interval as narrow as this is a number


@dataclass(frozen=True)
class Threshold:
    """What a pair's value must rise by to be in an optimal plan; stand-alone impact units, all its touches together.

    low, high: between these; equal where both plans are solved to the end, infinite where no plan can hold the pair.
    value_short: the same question asked of its HCP alone, at the prices (nan where no allowed set holds the pair).
    guarantee: value_short less what is unproven (price_bound - (objective - penalty)): a smaller rise puts it in no optimal plan.
    planned: the pair is in the plan `free` already; held: the plan with the pair forced in, None where there is none.
    """

    pair: int
    low: float
    high: float
    value_short: float
    guarantee: float
    planned: bool
    free: Solution
    held: Solution | None

    @property
    def is_exact(self) -> bool:
        return self.low == self.high or self.high - self.low <= EXACT * max(abs(self.free.objective - self.free.penalty), 1e-9)


def forced_threshold(
    problem: Problem, pair: int, gap: float, free: Solution | None = None, say: Callable[[str], None] = lambda line: None
) -> Threshold:
    """The threshold of one pair, both plans solved to the relative gap `gap` (1e-12 for a number, on small problems).

    free: the plan of this very problem to that gap, where it is there already; None = solve it. The penalty of a missed floor is the same
    in both plans, whatever the pair is worth.
    Raises ScenarioError for a pair that is not eligible, LimitsConflict where not even the problem itself has a plan.
    """
    from optimization.solve import solve

    problem = replace(problem, settings=replace(problem.settings, gap=gap))
    forced = force(problem, [pair])
    free = solve(problem, say) if free is None else free
    held_problem = replace(forced, settings=replace(forced.settings, floor_penalty=free.floor_penalty))
    total = free.objective - free.penalty
    short = float(free.best[pair // len(problem.channels)] - free.forced[pair])
    short = float("nan") if short == float("inf") else max(0.0, short)
    guarantee = short - (free.price_bound - total)
    planned = bool(free.touches[pair] > 0)
    try:
        held = solve(held_problem, say, start=free)
    except LimitsConflict:
        return Threshold(pair, float("inf"), float("inf"), short, guarantee, planned, free, None)
    held_total = held.objective - held.penalty
    best = max(total, held_total)  # the plan with the pair is a plan of the problem too
    low, high = max(0.0, best - held.upper_bound), max(0.0, max(free.upper_bound, best) - held_total)
    if guarantee > low:
        low = min(guarantee, high)
    if planned:
        low = 0.0
    if held.gap == 0.0 and free.gap == 0.0:
        low = high = max(0.0, total - held_total)
    return Threshold(pair, low, high, short, guarantee, planned, free, held)
