"""Money, minutes and values of any size: touches that cannot fit, coefficients far apart, limits of zero, one HCP."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from plan_cases import brute_force, limit, make_problem, random_problem

from optimization.fitting import fitting
from optimization.prices import LimitsConflict, price_bound, solve_prices
from optimization.sets import build_sets
from optimization.shared import build_shared
from optimization.solve import solve


def test_a_touch_dearer_than_the_budget_keeps_its_place_in_the_prices_only():
    # Half a congress would bring 50 for a budget of 5; whole plans can only buy five of the small touches.
    cost = np.tile([10.0, 1.0], 6)
    value = np.tile([100.0, 1.0], 6).reshape(6, 2)
    problem = make_problem(value, limits=[limit(0, "max", 5.0, range(12), cost)])
    sets = build_sets(problem)
    shared = build_shared(problem, sets)
    prices = solve_prices(sets, shared, np.array([np.inf]))
    fits = fitting(sets, shared)
    columns = np.arange(fits.sets.column_count)
    assert len(columns) == 2 * 6
    assert np.array_equal(sets.value_of(fits.back(columns)), fits.sets.value_of(columns))
    assert np.array_equal(sets.owner_of(fits.back(columns)), fits.sets.owner_of(columns))
    assert fits.shared.scale.tolist() == [1.0]
    assert price_bound(fits.sets, fits.shared, prices.price) <= prices.bound
    solution = solve(problem)
    assert solution.prices.bound == pytest.approx(50.0)
    assert (solution.objective, solution.upper_bound, solution.gap) == (pytest.approx(5.0), pytest.approx(5.0), pytest.approx(0.0))


def test_a_congress_of_a_billion_does_not_blur_a_budget_of_fifty():
    rng = np.random.default_rng(3)
    cost = np.tile([1e9, 3.0, 7.0], 40)
    value = rng.gamma(2.0, 1.0, (40, 3))
    with_congress = make_problem(value, limits=[limit(0, "max", 50.0, range(120), cost)])
    without = make_problem(value, np.tile([False, True, True], 40), [limit(0, "max", 50.0, range(120), cost)])
    assert solve(with_congress).objective == pytest.approx(solve(without).objective, rel=1e-9)


def test_a_pin_dearer_than_the_budget_is_a_conflict():
    problem = make_problem([[5.0, 1.0]], limits=[limit(0, "max", 5.0, [0, 1], [10.0, 1.0])], pins=[0])
    with pytest.raises(LimitsConflict):
        solve(problem)


def test_what_meets_a_limit_exactly_still_fits():
    problem = make_problem([[1.0], [2.0]], limits=[limit(0, "max", 0.3, [0, 1], [0.1 + 0.2, 0.1 + 0.2])])
    assert solve(problem).pairs.tolist() == [1]


@pytest.mark.parametrize("power", [-6, 0, 9])
def test_size_of_coefficients_and_values_changes_no_plan(power):
    solved = 0
    for seed in range(5000, 5016):
        problem = random_problem(seed)
        money, rest = ([x for x in problem.limits if (x.unit == "money") == wanted] for wanted in (True, False))
        plain = replace(problem, settings=replace(problem.settings, floor_penalty=None), limits=[*money, *rest])
        optimum, _ = brute_force(plain)
        money = [replace(x, bound=x.bound * 10.0**power, use=x.use * 10.0**power) for x in money]
        scaled = replace(plain, limits=[*money, *rest], value=plain.value * 10.0 ** (power // 3))
        if optimum is None:
            with pytest.raises(LimitsConflict):
                solve(scaled)
            continue
        solution = solve(scaled)
        assert (solution.objective - solution.penalty) / 10.0 ** (power // 3) == pytest.approx(optimum, rel=1e-6, abs=1e-6)
        assert solution.status == "optimal"
        solved += 1
    assert solved >= 8


@pytest.mark.parametrize("bound", [0.0, 1e-12])
def test_a_limit_of_nothing_leaves_what_costs_nothing(bound):
    problem = make_problem([[3.0, 1.0], [2.0, 1.0]], limits=[limit(0, "max", bound, range(4), [5.0, 0.0, 1e-6, 0.0])])
    solution = solve(problem)
    assert solution.pairs.tolist() == [1, 3]
    assert np.all(np.isfinite(solution.prices.price))
