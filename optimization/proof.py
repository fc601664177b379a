"""The proof of a plan, added up once more from the problem alone.

For prices y >= 0 (soft floors: y <= p, the floor penalty) the price bound is the plan's own worth plus everything it leaves open:

    price_bound = (objective - penalty) + sum over hard limits of y x room
                + sum over soft floors of [y x room where it is met, (p - y) x missing where it is not]
                + sum over HCPs of what the chosen touches fall short of the HCP's best priced value

No term is negative: that is why nothing beats the bound. An early bound of this project was wrong, and only this sum showed it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from optimization.checker import uses_of
from optimization.problem import Limit, Problem

if TYPE_CHECKING:
    from optimization.solve import Solution

TOLERANCE = 1e-7  # of the bound, or of the largest value of one touch where that is more


def assert_identity(problem: Problem, solution: Solution, use: np.ndarray | None = None) -> None:
    """AssertionError, with both numbers, where the solution's bound is not the sum of its parts, a part is negative, a price is out of its
    range, or the worth of the plan is not what the problem says.

    Values and uses come from the problem and the checker; of the solution only what is to be proven is read: touches, prices, `best`,
    objective, penalty, bounds, floor penalty. use (limits): the checker's `uses_of`, where it is known already (half of the time taken).
    """
    price, total = np.asarray(solution.price, dtype=np.float64), solution.objective - solution.penalty
    unit = float(np.abs(problem.value).max(initial=0.0)) or 1.0
    bound = np.array([limit.bound for limit in problem.limits], dtype=np.float64)
    close = TOLERANCE * max(abs(solution.price_bound), abs(total), unit) + 1e-12 * float(np.abs(price * bound).sum())
    _price_range(problem, solution, price)
    touched = solution.touches * problem.eligible
    worth = worth_of(problem, touched)
    _same("objective", solution.objective, float(worth.sum()), close)
    used = uses_of(problem, solution.touches) if use is None else use
    room = np.array([_sign(limit) for limit in problem.limits]) * (bound - used)
    soft = np.array([limit.hardness == "soft" for limit in problem.limits], dtype=bool)
    missing = np.where(soft, np.maximum(-room, 0.0), 0.0)
    _same("penalty", solution.penalty, float(missing.sum()) * solution.floor_penalty, close)
    short = solution.best - (worth - spent_of(problem, touched, price))
    if len(short) and short.min() < -1e-9 * max(unit, float(np.abs(solution.best).max())) - close / len(short):
        worst = int(np.argmin(short))
        raise AssertionError(f"{problem.hcp_ids[worst]}: the touches chosen are worth {-short[worst]:.9g} more than its best at the prices")
    open_ = float((price * np.where(missing > 0, 0.0, room)).sum() + ((solution.floor_penalty - price) * missing)[soft].sum())
    _same("price_bound", solution.price_bound, total + open_ + float(short.sum()), close)
    if not total - close <= solution.upper_bound <= solution.price_bound + close:
        raise AssertionError(f"upper_bound {solution.upper_bound!r} is not between {total!r} and price_bound {solution.price_bound!r}")


def worth_of(problem: Problem, touches: np.ndarray) -> np.ndarray:
    """(hcps) V of each HCP's touches by the contract's formula, in KPI units."""
    shape = len(problem.hcp_ids), len(problem.channels)
    channels = shape[1]
    count, value = touches.reshape(shape).astype(np.float64), problem.value.reshape(shape)
    worth = np.einsum("hc,hc->h", count, value)
    several = np.flatnonzero(count @ np.ones(channels) > 1)
    if problem.settings.overlap == 0 or len(several) == 0:
        return worth
    count, gain = np.ascontiguousarray(count[several].T), np.ascontiguousarray(np.maximum(value[several], 0.0).T)
    lost = np.zeros(len(several))
    for first in range(channels):
        lost += count[first] * (count[first] - 1) / 2 * gain[first]
        for second in range(first + 1, channels):
            lost += count[first] * count[second] * np.minimum(gain[first], gain[second])
    worth[several] -= problem.settings.overlap * lost
    return worth


def spent_of(problem: Problem, touches: np.ndarray, price: np.ndarray) -> np.ndarray:
    """(hcps) what each HCP's touches cost at the prices, floors paying for theirs; touches of eligible pairs only."""
    channels, hcps = len(problem.channels), len(problem.hcp_ids)
    count, spent = touches.reshape(hcps, channels).astype(np.float64), np.zeros(hcps)
    everywhere = np.zeros(channels)
    for number in np.flatnonzero(price).tolist():
        limit, rate = problem.limits[number], _sign(problem.limits[number]) * price[number]
        mine = slice(None) if len(limit.hcps) == hcps else limit.hcps
        if limit.counts == "hcps":
            flags = count[mine] @ limit.use if limit.use.ndim == 1 else (count[mine] * limit.use).sum(axis=1)
            spent[mine] += rate * (flags > 0)
        elif limit.use.ndim == 2:
            spent[mine] += rate * (count[mine] * limit.use).sum(axis=1)
        elif len(limit.hcps) == hcps:
            everywhere += rate * limit.use
        else:
            spent[mine] += rate * (count[mine] @ limit.use)
    return spent + count @ everywhere


def _price_range(problem: Problem, solution: Solution, price: np.ndarray) -> None:
    for limit, one in zip(problem.limits, price.tolist(), strict=True):
        most = solution.floor_penalty if limit.hardness == "soft" else np.inf
        if not 0 <= one <= most * (1 + 1e-9):
            raise AssertionError(f"the price {one!r} of {limit.label} is not between 0 and {most!r}")


def _same(name: str, said: float, added: float, close: float) -> None:
    if not abs(said - added) <= close:
        raise AssertionError(f"{name} {said!r} is not the sum of its parts {added!r}")


def _sign(limit: Limit) -> float:
    return 1.0 if limit.side == "max" else -1.0
