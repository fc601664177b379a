"""Whole counts of what limits use: they say exactly what the limits say, and no plan is lost by writing limits in them."""

from __future__ import annotations

import numpy as np
import pytest
from plan_cases import limit, make_problem, random_problem, rep_bound_problem

from optimization.restricted import restrict
from optimization.sets import build_sets, build_shared
from optimization.tallies import MOST_COEFFICIENTS, no_tallies, tally


def tallied(problem, columns=None):
    sets = build_sets(problem)
    shared = build_shared(problem, sets)
    part = restrict(sets, shared, sets.value, np.arange(sets.column_count) if columns is None else columns, settle=False)
    return sets, shared, part, tally(sets, shared, part)


@pytest.mark.parametrize("seed", range(12))
def test_counts_times_weights_are_the_use_of_every_column(seed):
    _, _, part, tallies = tallied(random_problem(seed, max_hcps=10, max_channels=4))
    counted = tallies.counted
    assert np.allclose((tallies.weight @ tallies.adds).toarray()[counted], part.use.toarray()[counted], atol=1e-12)
    assert np.array_equal(tallies.adds.data, np.round(tallies.adds.data))
    assert np.all(tallies.adds.data > 0)


def test_a_budget_over_three_prices_is_three_counts_and_equal_counts_are_one():
    # Channel costs 5, 2 and 2: two distinct costs, so two counts; the capacity of channel 0 counts what the budget counts at 5.
    cost = np.tile([5.0, 2.0, 2.0], 4)
    limits = [limit(0, "max", 20, range(12), cost), limit(1, "min", 1, [0, 3, 6, 9])]
    sets, _, part, tallies = tallied(make_problem(np.ones((4, 3)), limits=limits))
    assert tallies.count == 2
    bits = sets.bits[sets.kind[part.free]]
    expected = {tuple(bits[:, 0]), tuple(bits[:, 1] + bits[:, 2])}
    assert {tuple(row) for row in tallies.adds.toarray()} == expected
    assert sorted(tallies.weight.toarray()[0]) == [0.4, 1.0]
    assert sorted(tallies.weight.toarray()[1]) == [-1.0, 0.0]


def test_a_floor_counts_an_hcp_once_however_many_touches():
    floor = limit(0, "min", 2, [0, 1, 2, 3], None, "hcps", "soft", "coverage_floor", "hcps")
    sets, _, part, tallies = tallied(make_problem(np.ones((2, 2)), limits=[floor]))
    assert tallies.count == 1
    assert np.array_equal(tallies.adds.toarray()[0], (sets.masks[sets.kind[part.free]] != 0).astype(float))


def test_limits_of_many_coefficients_are_left_as_they_are():
    minutes = np.arange(1.0, MOST_COEFFICIENTS + 2)
    hcps = len(minutes)
    problem = make_problem(np.ones((hcps, 1)), limits=[limit(0, "max", 30, range(hcps), minutes), limit(1, "max", 5, range(hcps))])
    _, _, _, tallies = tallied(problem)
    assert tallies.counted.tolist() == [False, True]
    assert tallies.count == 1


def test_columns_left_out_and_limits_without_pairs_make_no_count():
    problem = make_problem(np.ones((3, 2)), limits=[limit(0, "max", 1, [4, 5], [3.0, 7.0]), limit(1, "max", 1, [])])
    sets = build_sets(problem)
    _, _, part, tallies = tallied(problem, np.flatnonzero(sets.hcp < 2))
    assert tallies.count == 0
    assert tallies.adds.shape == (0, len(part.free))
    assert no_tallies(2, 5).adds.shape == (0, 5)


def test_a_plan_of_tight_budgets_is_proven_in_few_nodes():
    """Several budgets that bind together: without counts such a tree has thousands of nodes."""
    from optimization.solve import solve

    problem = rep_bound_problem(300, seed=2)
    budget = next(x for x in problem.limits if x.rule == "budget" and x.channel is None)
    problem.limits[problem.limits.index(budget)] = limit(900, "max", 9000.0, budget.pairs, budget.coefficients)
    solution = solve(problem)
    assert (solution.status, solution.gap <= 1e-4, solution.nodes < 2000) == ("optimal", True, True)
