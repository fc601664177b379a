"""The next step of a limit: against every plan of tiny problems, and on larger ones that it is real."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from every_plan import all_plans, options_of, penalty_of
from plan_cases import limit, make_problem, random_problem, rep_bound_problem

from optimization.prices import LimitsConflict
from optimization.result import plan_problem
from optimization.solve import solve
from optimization.steps import LEAST_GAIN, next_steps


def loosened(problem, number, amount):
    limits = list(problem.limits)
    x = limits[number]
    limits[number] = replace(x, bound=x.bound + (amount if x.side == "max" else -amount))
    return replace(problem, limits=limits)


def step_by_every_plan(problem, number, total):
    """(step, gain) of one limit by looking at every plan that keeps the other limits; None where no loosening helps."""
    x, penalty = problem.limits[number], penalty_of(problem, options_of(problem))
    free = replace(problem, settings=replace(problem.settings, floor_penalty=penalty))
    plans = all_plans(loosened(free, number, 1e9))
    use = sum(options.use[plans.choice[:, hcp], number] for hcp, options in enumerate(plans.options))
    need = use - x.bound if x.side == "max" else x.bound - use
    enough = LEAST_GAIN * np.abs(problem.value[problem.eligible]).max()
    if x.hardness == "soft":
        gain = (plans.total - penalty * np.maximum(need - 1.0, 0.0)).max() - total
        return (1.0, gain) if gain > enough else None
    better = plans.total > total + enough
    if not better.any():
        return None
    step = need[better].min()
    return step, plans.total[need <= step + 1e-9].max() - total


def test_steps_of_tiny_problems_equal_a_look_at_every_plan():
    cases = 0
    for seed in range(160):
        problem = random_problem(seed, max_hcps=5)
        try:
            solution = solve(problem)
        except LimitsConflict:
            continue
        found = next_steps(problem, solution)
        priced = np.flatnonzero(solution.price * solution.shared.scale > 1e-9 * np.abs(problem.value).max())
        assert set(found) <= set(priced.tolist())
        for number in priced.tolist():
            wanted = step_by_every_plan(problem, number, solution.objective - solution.penalty)
            assert (wanted is None) == (number not in found)
            if wanted is not None:
                assert found[number] == pytest.approx(wanted, abs=1e-6)
                cases += 1
    assert cases >= 80


def test_a_visit_more_needs_all_of_its_minutes():
    minutes = [limit(0, "max", 70, range(3), [30.0, 30.0, 30.0], rule="rep_capacity", unit="minutes")]
    problem = make_problem([[3.0], [2.0], [1.5]], limits=minutes)
    assert next_steps(problem, solve(problem)) == {0: (pytest.approx(20.0), pytest.approx(1.5))}
    assert plan_problem(problem).limits[["step", "step_gain"]].to_numpy().tolist() == [[pytest.approx(20.0), pytest.approx(1.5)]]


def test_only_the_tightest_limits_are_worked_out():
    limits = [limit(n, "max", 1, [n, n + 2]) for n in range(2)]
    problem = make_problem([[5.0, 3.0], [4.0, 2.5]], limits=limits)
    solution = solve(problem)
    for most, wanted in ((0, set()), (1, {0}), (2, {0, 1})):
        assert set(next_steps(replace(problem, settings=replace(problem.settings, step_limits=most)), solution)) == wanted


@pytest.fixture(scope="module")
def large():
    problem = rep_bound_problem(900)
    return problem, solve(problem)


def test_steps_of_a_large_problem_gain_and_are_needed(large):
    problem, solution = large
    found = next_steps(problem, solution)
    assert len(found) >= 5
    assert all(step > 0 and gain > 0 for step, gain in found.values())
    total = solution.objective - solution.penalty
    for number, (step, gain) in found.items():
        after = solve(loosened(problem, number, step))
        # what is known of both plans: the true gain lies between these
        assert after.upper_bound - total >= gain - (solution.upper_bound - total) - 1e-9
        price_at_most = solution.price_bound + solution.price[number] * step
        assert total + gain <= price_at_most + (solution.upper_bound - total) + 1e-9
    assert found == next_steps(problem, solution)
