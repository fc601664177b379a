"""One problem through the solver and through references that share nothing with it, held side by side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from every_plan import Options, continuous_bound, options_of, penalty_of

from optimization.checker import check_plan, objective_of, shortfalls, use_of
from optimization.prices import LimitsConflict
from optimization.reference import NoPlan, reference_solve
from optimization.solve import Solution, solve

EXACT = 1e-7  # relative to the optimum or the largest value: what two floating point solvers may differ by


@dataclass(frozen=True)
class Compared:
    """A solved problem: its solution, the reference optimum of objective - penalty, and what counts as equal in KPI units."""

    solution: Solution
    optimum: float
    tolerance: float


def compare(problem, place) -> Compared | None:
    """Solver against reference; None where both say that no plan exists. `place` is named when they differ."""
    try:
        reference = reference_solve(problem)
    except NoPlan:
        with pytest.raises(LimitsConflict):
            solve(problem)
        return None
    optimum = reference.objective - reference.penalty
    try:
        solution = solve(problem)
    except LimitsConflict as conflict:
        raise AssertionError(f"{place}: the solver sees a conflict, the reference a plan of {optimum}: {conflict}") from conflict
    tolerance = EXACT * max(abs(optimum), float(np.abs(problem.value).max(initial=0.0)))
    assert check_plan(problem, reference.touches) == [], place
    assert abs(reference.bound - optimum) <= tolerance, place
    _plan_is_the_optimum(problem, solution, optimum, tolerance, place)
    _solution_describes_its_plan(problem, solution, place)
    return Compared(solution, optimum, tolerance)


def _plan_is_the_optimum(problem, solution, optimum, tolerance, place):
    total, gap = solution.objective - solution.penalty, problem.settings.gap
    assert total <= optimum + tolerance, f"{place}: {total} is above the optimum {optimum}"
    assert total >= optimum - gap * abs(total) - tolerance, f"{place}: {total} is below the optimum {optimum}"
    assert solution.upper_bound >= optimum - tolerance, f"{place}: bound {solution.upper_bound} is below the optimum {optimum}"
    assert solution.price_bound >= optimum - tolerance, f"{place}: price bound {solution.price_bound} is below the optimum {optimum}"
    assert solution.upper_bound <= solution.price_bound + tolerance, place
    assert solution.gap == pytest.approx(max(0.0, solution.upper_bound - total) / max(abs(total), 1e-9), abs=1e-12), place
    assert (solution.status, solution.gap <= gap) == ("optimal", True), place


def _solution_describes_its_plan(problem, solution, place):
    touches = solution.touches
    assert touches.shape == (problem.pair_count,) and np.issubdtype(touches.dtype, np.integer), place
    assert check_plan(problem, touches) == [], place
    objective, penalty, _ = objective_of(problem, touches)
    assert (solution.objective, solution.penalty) == (pytest.approx(objective, abs=1e-9), pytest.approx(penalty, abs=1e-9)), place
    assert np.asarray(solution.use) == pytest.approx([use_of(problem, x, touches) for x in problem.limits], abs=1e-9), place
    assert np.asarray(solution.missing) == pytest.approx(shortfalls(problem, touches), abs=1e-9), place


def compare_prices(problem, compared, place) -> list[Options]:
    """Price bound and prices against the linear program over all touch vectors; returns those vectors."""
    options, solution = options_of(problem), compared.solution
    soft = np.array([limit.hardness == "soft" for limit in problem.limits], dtype=bool)
    if soft.any():
        assert solution.floor_penalty == pytest.approx(penalty_of(problem, options)), place
    bound, tolerance = continuous_bound(problem, options), 10 * compared.tolerance
    assert abs(solution.price_bound - bound) <= tolerance, f"{place}: price bound {solution.price_bound}, z_LP {bound}"
    price = np.asarray(solution.price)
    assert price.shape == (len(problem.limits),) and np.all(price >= 0), place
    assert np.all(price[soft] <= solution.floor_penalty * (1 + 1e-9) + 1e-12), place
    best = sum(float(np.max(each.value - each.use @ (signs(problem) * price))) for each in options)
    weak = best + float(np.sum(signs(problem) * price * np.array([limit.bound for limit in problem.limits])))
    assert abs(weak - solution.price_bound) <= tolerance, f"{place}: the published prices give {weak}, not {solution.price_bound}"
    return options


def signs(problem) -> np.ndarray:
    """+1 for an upper limit, -1 for a lower one."""
    return np.array([1.0 if limit.side == "max" else -1.0 for limit in problem.limits])
