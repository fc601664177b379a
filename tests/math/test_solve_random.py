"""The solver against brute force over all plans, on small problems with limits of every kind."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from plan_cases import brute_force, random_problem, rep_bound_problem

import optimization.blocks as blocks
import optimization.solve as solving
from optimization.checker import check_plan, objective_of
from optimization.prices import LimitsConflict
from optimization.solve import solve

SEEDS = [range(first, first + 40) for first in range(0, 200, 40)]


def compare(problem, exact=True):
    """True where a plan exists; asserts that solver and brute force agree about plan, bound and price bound."""
    optimum, _ = brute_force(problem)
    try:
        solution = solve(problem)
    except LimitsConflict:
        assert optimum is None
        return False
    assert optimum is not None
    total = solution.objective - solution.penalty
    tolerance = 1e-7 * max(1.0, abs(optimum))
    assert total <= optimum + tolerance
    assert solution.upper_bound >= optimum - tolerance
    assert solution.prices.bound >= solution.upper_bound - tolerance
    assert np.all(solution.prices.price >= 0)
    assert np.all(solution.prices.price[solution.shared.soft] <= solution.floor_penalty)
    assert solution.upper_bound - total <= solution.gap * max(abs(total), 1e-9) + 1e-12
    if exact:
        assert total == pytest.approx(optimum, rel=1e-7, abs=1e-7)
        assert (solution.status, solution.gap) == ("optimal", pytest.approx(0.0, abs=1e-9))
    assert check_plan(problem, solution.touches) == []
    if solution.touches.any():
        objective, penalty, _ = objective_of(problem, solution.touches)
        assert (objective, penalty) == (pytest.approx(solution.objective), pytest.approx(solution.penalty))
    return True


@pytest.mark.parametrize("seeds", SEEDS, ids=str)
def test_solver_finds_the_optimum_of_small_problems(seeds):
    solved = [compare(random_problem(seed)) for seed in seeds]
    assert sum(solved) >= len(solved) // 2
    assert len(solved) == 40


def test_solver_finds_the_optimum_of_wider_problems():
    assert sum(compare(random_problem(seed, max_hcps=12, max_channels=4)) for seed in range(1000, 1008)) >= 3


def test_blocks_and_rounds_around_their_core_stay_valid(monkeypatch):
    """The path of large problems, forced on small ones: never above the optimum, bound never below it, and mostly exact."""
    monkeypatch.setattr(solving, "EXACT_COLUMNS", 0)
    monkeypatch.setattr(solving, "NARROW", 0)
    monkeypatch.setattr(blocks, "BLOCK_HCPS", 3)
    assert sum(compare(random_problem(seed, max_hcps=8), exact=False) for seed in range(2000, 2040)) >= 20


def test_rounds_without_blocks_stay_valid(monkeypatch):
    monkeypatch.setattr(solving, "EXACT_COLUMNS", 0)
    monkeypatch.setattr(solving, "NARROW", 0)
    assert sum(compare(random_problem(seed, max_hcps=8), exact=False) for seed in range(2000, 2030)) >= 15


@pytest.mark.parametrize(("hcps", "gap"), [(240, 1e-4), (1500, 1e-4)])
def test_rep_bound_problems_are_proven(hcps, gap):
    problem = rep_bound_problem(hcps)
    solution = solve(problem)
    assert solution.status == "optimal"
    assert solution.gap <= gap
    use = solution.shared.total_use(solution.sets, solution.columns)
    minutes = [n for n, x in enumerate(problem.limits) if x.unit == "minutes"]
    assert np.all(use[minutes] >= 0.97 * 1500)  # the family is bound by rep time, or it would prove nothing


def test_two_solves_give_the_same_plan_and_prices():
    for problem in (rep_bound_problem(400, seed=3), random_problem(12)):
        first, second = solve(problem), solve(problem)
        assert np.array_equal(first.pairs, second.pairs)
        assert np.array_equal(first.prices.price, second.prices.price)
        assert first.upper_bound == second.upper_bound


def test_a_node_limit_of_one_still_gives_a_plan_and_a_bound():
    problem = rep_bound_problem(400, seed=5)
    problem = replace(problem, settings=replace(problem.settings, node_limit=1, gap=1e-9))
    solution = solve(problem)
    assert solution.status in ("optimal", "feasible")
    assert solution.upper_bound >= solution.objective - solution.penalty
    assert (solution.gap <= 1e-9) == (solution.status == "optimal")
