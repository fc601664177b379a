"""Many lines above z_LP from few passes: prices at which one limit's own price is held and all others descend.

For a held price the bound over all other prices does not depend on the limit's bound b but by a line, whose slope is that price; it
touches the curve at the use that the best sets have there. Between two touching points the curve lies above their chord, so the next
price to hold is the slope of the chord where line and chord are furthest apart (the sandwich algorithm: Burkard, Hamacher and Rote,
1991). With the price held the others hardly interact, and their values between the neighbours' are a start that a few passes finish.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from optimization.problem import Problem
from optimization.sets import BeyondEnvelope, HcpSets, build_sets
from optimization.shared import Pricing, SharedLimits, build_shared

if TYPE_CHECKING:
    from optimization.solve import Solution

END_PASSES = 100  # of the descent to the tightest bound, from afar
PASSES = 20  # at each held price
MOST_PASSES = 400
STILL = 1e-7  # of the largest value: a step this small ends a descent


@dataclass
class Lines:
    """Lines over the bound of one limit, each valid everywhere: value at a bound of 0 and slope (KPI units per unit more)."""

    points: np.ndarray
    values: list[float] = field(default_factory=list)
    slopes: list[float] = field(default_factory=list)

    def add(self, value: float, slope: float, at: float) -> None:
        """A line through `value` at the bound `at`."""
        self.values.append(value - slope * at)
        self.slopes.append(slope)

    def lowest(self) -> tuple[np.ndarray, np.ndarray]:
        """(value, slope) of the lowest line at every point."""
        slopes = np.array(self.slopes)
        table = np.array(self.values)[:, None] + slopes[:, None] * self.points
        best = np.argmin(table, axis=0)
        return table[best, np.arange(len(self.points))], slopes[best]


@dataclass(frozen=True)
class Scene:
    """Sets and limits of a problem, prices to begin with, and the most that the price of each limit may be."""

    sets: HcpSets
    shared: SharedLimits
    price: np.ndarray
    ceiling: np.ndarray


@dataclass(frozen=True)
class _Touch:
    """A line found: slope, value at a bound of 0, the bound where it touches, all prices, passes spent."""

    slope: float
    value: float
    at: float
    price: np.ndarray
    passes: int


@dataclass(frozen=True)
class _Descent:
    """Descents over the sets of a scene, with limit number `limit` apart."""

    pricing: Pricing
    limit: int
    ceiling: np.ndarray

    @property
    def sign(self) -> float:
        return float(self.pricing.shared.sign[self.limit])

    @property
    def top(self) -> float:
        return max(float(self.pricing.sets.values.max(initial=0.0)), 1e-12)

    def run(self, price: np.ndarray, step: np.ndarray, bound: float, is_held: bool, passes: int) -> _Touch:
        """Rprop (see `descent.py`) from `price` with a first step per limit, at a bound of the limit; its own price moves unless held."""
        sets, shared = self.pricing.sets, self.pricing.shared
        bounds = shared.bound.copy()
        bounds[self.limit] = bound
        free = np.ones(shared.count)
        free[self.limit] = 0.0 if is_held else 1.0
        before, lowest, kept, used, spent = np.zeros(shared.count), np.inf, price, 0.0, 0
        for _ in range(passes):
            spent += 1
            best, columns = self.pricing.best(price)
            value = float(best.sum() + (shared.sign * price * bounds).sum())
            use = shared.total_use(sets, columns)
            if value < lowest:
                lowest, kept, used = value, price, float(use[self.limit])
            side = np.sign(shared.sign * (use - bounds)) * free
            step = np.where(side * before > 0, 1.3 * step, np.where(side * before < 0, 0.5 * step, step))
            before, last, price = side, price, np.clip(price + side * step, 0.0, self.ceiling)
            if np.all(np.abs(price - last) * shared.scale <= STILL * self.top):
                break
        slope = self.sign * float(kept[self.limit])
        bounds[self.limit] = 0.0
        return _Touch(slope, self.pricing.bound(kept) + float((shared.sign * kept * (bounds - shared.bound)).sum()), used, kept, spent)

    def held(self, price: np.ndarray, slope: float, step: np.ndarray) -> _Touch:
        """The line of a slope, the other prices descending from `price`."""
        start = price.copy()
        start[self.limit] = self.sign * slope
        return self.run(start, step, 0.0, True, PASSES)


def scene_of(problem: Problem, base: Solution) -> Scene | None:
    """The scene of a problem and a plan of it; None beyond the envelope of `sets.py`, where only the base's own prices bound a curve."""
    try:
        sets = build_sets(problem)
    except BeyondEnvelope:
        return None
    shared = build_shared(problem, sets)
    return Scene(sets, shared, base.price, np.where(shared.soft, base.floor_penalty, np.inf))


def add_lines(scene: Scene, limit: int, lines: Lines, loose: float) -> int:
    """Lines until none lies further than `loose` (of the largest value) above what is proven, or MOST_PASSES are spent. Passes spent."""
    descent = _Descent(Pricing(scene.sets, scene.shared), limit, scene.ceiling)
    near = 5e-4 * descent.top / scene.shared.scale
    tightest = lines.points[0] if descent.sign > 0 else lines.points[-1]
    end = descent.run(scene.price, 4 * near, float(tightest), False, END_PASSES)
    found = [end, descent.held(end.price, end.slope, near), descent.held(scene.price, 0.0, near)]
    passes = sum(touch.passes for touch in found)
    while passes < MOST_PASSES:
        found.sort(key=lambda touch: touch.slope)
        chosen = _furthest(found, lines.points[0], lines.points[-1], loose)
        if chosen is None:
            break
        left, right, slope = chosen
        share = (slope - left.slope) / (right.slope - left.slope)
        step = np.maximum(0.1 * np.abs(right.price - left.price), near / 50)
        found.append(descent.held((1 - share) * left.price + share * right.price, slope, step))
        passes += found[-1].passes
    for touch in found:
        lines.add(touch.value, touch.slope, 0.0)
    return passes


def _furthest(found: Sequence[_Touch], low: float, high: float, loose: float) -> tuple[_Touch, _Touch, float] | None:
    """The neighbours whose lines lie furthest above their chord within [low, high], and the chord's slope; None when all are close."""
    worst, chosen = loose * max(abs(touch.value + touch.slope * low) for touch in found), None
    for left, right in pairwise(found):
        first, last = (float(np.clip(touch.at, low, high)) for touch in (right, left))
        if right.slope - left.slope < 1e-12 or last - first < 1e-6 * (high - low):
            continue
        begins, ends = right.value + right.slope * first, left.value + left.slope * last
        slope = (ends - begins) / (last - first)
        kink = (left.value - right.value) / (right.slope - left.slope)
        apart = left.value + left.slope * kink - (begins + slope * (kink - first))
        if apart > worst:
            width = right.slope - left.slope
            worst, chosen = apart, (left, right, float(np.clip(slope, left.slope + 0.05 * width, right.slope - 0.05 * width)))
    return chosen
