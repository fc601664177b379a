"""What every bound of one limit is worth: a proven upper bound per bound, from few price vectors, and plans where asked for.

The bound at prices y is linear in the limit's own bound b: bound(y, b) = bound(y, b0) + sign x y_l x (b - b0), valid for every b. Over all
price vectors seen the lowest of these lines is a concave curve from above. On small problems the point where the curve may lie
furthest above z_LP gets exact prices of its own, until none is looser than asked: where prices were exact the curve touches z_LP, which is
concave too and so lies above the chords between those points. On larger ones `scenario_lines.py` finds lines in a few hundred passes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from optimization.prices import LimitsConflict
from optimization.problem import Problem
from optimization.scenario import ScenarioError
from optimization.scenario_lines import Lines, Scene, add_lines, scene_of

if TYPE_CHECKING:
    from optimization.solve import Solution

LOOSE = 1e-5  # of the curve's largest value
FEW = 2000  # columns up to which points get exact prices of their own
SOME = 20_000  # columns up to which the ends do, so that limits that contradict each other are noticed


@dataclass(frozen=True)
class Curve:
    """Arrays over points, by rising bound of limit number `limit`; KPI units.

    bound: of the limit, in its unit; upper_bound: on objective - penalty, nan where the hard limits contradict each other; price: gain of
    upper_bound per unit loosened there; total, gap: of the plan solved there, nan where none was; vectors: price vectors that it took.
    """

    limit: int
    bound: np.ndarray
    upper_bound: np.ndarray
    price: np.ndarray
    total: np.ndarray
    gap: np.ndarray
    vectors: int


@dataclass
class _Points(Lines):
    """Lines and the points that have exact prices: place -> (prices, bound there); `broken`: places where no plan keeps the limits."""

    solved: dict[int, tuple[np.ndarray, float]] = field(default_factory=dict)
    broken: set[int] = field(default_factory=set)

    def break_at(self, place: int, side: str) -> None:
        """No plan keeps the limits at this point, so none does where this limit is tighter still."""
        self.broken |= set(range(place + 1)) if side == "max" else set(range(place, len(self.points)))

    def next_end(self) -> int | None:
        """The outermost point not yet solved (by halving where an end is broken), None when both ends are."""
        open_points = [place for place in range(len(self.points)) if place not in self.solved and place not in self.broken]
        known = sorted(self.solved)
        if not open_points or not known:
            return None if not open_points else open_points[-1 if self.broken else 0]
        below, above = [p for p in open_points if p < known[0]], [p for p in open_points if p > known[-1]]
        if not below and not above:
            return None
        side = below or above
        return side[len(side) // 2] if self.broken else side[0 if below else -1]

    def loosest(self, share: float) -> int | None:
        """The point between solved ones whose bound may be loosest, None when none is looser than `share` of the largest bound."""
        open_points = [place for place in range(len(self.points)) if place not in self.solved and place not in self.broken]
        if not open_points:
            return None
        known = sorted(self.solved)
        curve, _ = self.lowest()
        chord = np.interp(self.points, self.points[known], [self.solved[place][1] for place in known])
        slack = (curve - chord)[open_points]
        worst = int(np.argmax(slack))
        return open_points[worst] if slack[worst] > share * np.abs(curve).max() else None


def with_bound(problem: Problem, limit: int, bound: float) -> Problem:
    """The problem with another bound of one limit."""
    limits = list(problem.limits)
    limits[limit] = replace(limits[limit], bound=bound)
    return replace(problem, limits=limits)


def budget_curve(
    problem: Problem,
    base: Solution,
    limit: int,
    bounds: Sequence[float],
    plans_at: Sequence[int] = (),
    loose: float = LOOSE,
    say: Callable[[str], None] = lambda line: None,
) -> Curve:
    """Upper bounds of the whole problem at many bounds of limit number `limit`.

    base: a plan of `problem`, the first price vector; plans_at: points (places in the sorted bounds) where a plan is solved too; loose:
    share of the largest value by which the curve may lie above the least bound that prices can prove. ScenarioError for bounds below 0.
    """
    points = np.unique(np.asarray(bounds, dtype=np.float64))
    if len(points) == 0 or not np.isfinite(points).all() or points[0] < 0:
        raise ScenarioError(f"limit {problem.limits[limit].label}: the bounds of a curve must be finite numbers >= 0")
    sign = 1.0 if problem.limits[limit].side == "max" else -1.0
    lines, scene = _Points(points), scene_of(problem, base)
    lines.add(base.price_bound, sign * float(base.price[limit]), problem.limits[limit].bound)
    if scene is not None and scene.sets.column_count <= SOME:
        _price_exactly(scene, limit, lines, lines.next_end)
    if scene is not None and scene.sets.column_count <= FEW:
        _price_exactly(scene, limit, lines, lambda: lines.loosest(loose))
    elif scene is not None and len(lines.broken) < len(points):
        add_lines(scene, limit, lines, loose)
    upper, slope = lines.lowest()
    upper[sorted(lines.broken)] = slope[sorted(lines.broken)] = np.nan
    say(f"curve: {len(points)} bounds from {len(lines.values)} price vectors")
    places = [place for place in plans_at if place not in lines.broken]
    total, gap = _plans(_settled(problem, base), limit, points, places, upper)
    return Curve(limit, points, upper, sign * slope, total, gap, len(lines.values))


def _settled(problem: Problem, base: Solution) -> Problem:
    """The problem with the floor penalty of the base: what a missed HCP costs does not move along the curve."""
    return replace(problem, settings=replace(problem.settings, floor_penalty=base.floor_penalty))


def _price_exactly(scene: Scene, limit: int, lines: _Points, place_of: Callable[[], int | None]) -> None:
    """Exact prices at the points that `place_of` names, until it names none."""
    from optimization.prices import solve_prices

    sign = float(scene.shared.sign[limit])
    while (place := place_of()) is not None:
        nearest = min(lines.solved, key=lambda at: (abs(at - place), at), default=None)
        bounds = scene.shared.bound.copy()
        bounds[limit] = lines.points[place]
        start = scene.price if nearest is None else lines.solved[nearest][0]
        try:
            found = solve_prices(scene.sets, replace(scene.shared, bound=bounds), scene.ceiling, start=start)
        except LimitsConflict:
            lines.break_at(place, "max" if sign > 0 else "min")
        else:
            lines.solved[place] = (found.price, found.bound)
            lines.add(found.bound, sign * float(found.price[limit]), float(lines.points[place]))


def _monotone(upper: np.ndarray, side: str) -> np.ndarray:
    """What bounds a looser limit bounds a tighter one too; nan stays nan."""
    known = ~np.isnan(upper)
    towards_tight = slice(None, None, -1) if side == "max" else slice(None)
    upper[known] = np.minimum.accumulate(upper[known][towards_tight])[towards_tight]
    return upper


def _plans(problem: Problem, limit: int, points: np.ndarray, places: Sequence[int], upper: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(total, gap) of the plans solved at these points; a plan's own bound where that is lower goes into `upper`."""
    from optimization.solve import gap_of, solve

    total, gap = np.full(len(points), np.nan), np.full(len(points), np.nan)
    for place in places:
        try:
            plan = solve(with_bound(problem, limit, float(points[place])))
        except LimitsConflict:
            continue
        total[place] = plan.objective - plan.penalty
        upper[place] = min(upper[place], plan.upper_bound)
    upper[:] = _monotone(upper, problem.limits[limit].side)
    solved = ~np.isnan(total)
    gap[solved] = [gap_of(bound, worth) for bound, worth in zip(upper[solved], total[solved], strict=True)]
    return total, gap
