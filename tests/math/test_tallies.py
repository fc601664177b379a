"""Whole counts of what limits use: they say exactly what the limits say, and no plan is lost by writing limits in them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from plan_cases import brute_force, limit, make_problem, random_problem, rep_bound_problem

import optimization.program as program
import optimization.tallies as counting
from optimization.restricted import restrict
from optimization.sets import build_sets
from optimization.shared import build_shared
from optimization.solve import solve
from optimization.tallies import MOST_COEFFICIENTS, no_tallies, tally


def tallied(problem, columns=None):
    sets = build_sets(problem)
    shared = build_shared(problem, sets)
    part = restrict(sets, shared, np.arange(sets.column_count) if columns is None else columns, settle=False)
    return sets, shared, part, tally(sets, shared, part)


def counts_of(tallies):
    """(counts, free): by how much picking a column raises each count."""
    return (tallies.adds + tallies.nests @ tallies.adds).toarray()


@pytest.mark.parametrize("seed", range(12))
def test_counts_times_weights_are_the_use_of_every_column(seed, monkeypatch):
    monkeypatch.setattr(counting, "MOST_CELLS", 3)
    _, _, part, tallies = tallied(random_problem(seed, max_hcps=10, max_channels=4))
    counts, counted = counts_of(tallies), tallies.counted
    assert np.allclose((tallies.weight.toarray() @ counts)[counted], part.use.toarray()[counted], atol=1e-12)
    assert np.array_equal(counts, np.round(counts))
    assert np.all(counts.max(axis=1) > 0)
    picks = (np.arange(len(part.free)) % 2).astype(float)
    assert np.allclose(tallies.of(picks), counts @ picks)


def test_a_budget_over_two_prices_is_two_counts_and_another_budget_cuts_them_into_atoms():
    # Channels cost 5, 2 and 2: two counts. The second budget is on the first two HCPs alone: two atoms for each count.
    cost = np.tile([5.0, 2.0, 2.0], 4)
    whole = limit(0, "max", 20, range(12), cost)
    sets, _, part, tallies = tallied(make_problem(np.ones((4, 3)), limits=[whole]))
    bits = sets.touches[sets.kind_of(part.free)].astype(float)
    expected = {tuple(bits[:, 0]), tuple(bits[:, 1] + bits[:, 2])}
    assert {tuple(row) for row in counts_of(tallies)} == expected
    assert sorted(tallies.weight.toarray()[0]) == [0.4, 1.0]
    half = limit(1, "max", 9, range(6), cost[:6])
    _, _, _, tallies = tallied(make_problem(np.ones((4, 3)), limits=[whole, half]))
    assert (tallies.count, tallies.nests.nnz) == (4 + 2, 4)
    assert sorted(tallies.weight.toarray()[1]) == [0.0, 0.0, 0.0, 0.0, 0.4, 1.0]


def test_long_counts_are_sums_of_short_ones(monkeypatch):
    monkeypatch.setattr(counting, "MOST_CELLS", 5)
    problem = make_problem(np.ones((12, 2)), limits=[limit(0, "max", 20, range(24), np.tile([1.0, 2.0], 12))])
    _, _, _, tallies = tallied(problem)
    assert tallies.count == 2 * 3 + 2
    assert counts_of(tallies).sum(axis=1).tolist()[-2:] == [24.0, 24.0]
    assert np.diff(tallies.adds.indptr).max() <= 2 * 5


def test_limits_of_one_or_of_many_coefficients_are_left_as_they_are():
    minutes = np.arange(1.0, MOST_COEFFICIENTS + 2)
    hcps = len(minutes)
    limits = [limit(0, "max", 30, range(hcps), minutes), limit(1, "max", 5, range(hcps)), limit(2, "max", 9, range(hcps), 1 + minutes % 2)]
    _, _, _, tallies = tallied(make_problem(np.ones((hcps, 1)), limits=limits))
    assert tallies.counted.tolist() == [False, False, True]


def test_columns_left_out_and_limits_without_pairs_make_no_count():
    problem = make_problem(np.ones((3, 2)), limits=[limit(0, "max", 1, [4, 5], [3.0, 7.0]), limit(1, "max", 1, [])])
    sets = build_sets(problem)
    _, _, part, tallies = tallied(problem, np.arange(sets.start[2]))
    assert tallies.count == 0
    assert tallies.adds.shape == (0, len(part.free))
    assert no_tallies(2, 5).adds.shape == (0, 5)


def test_a_plan_of_tight_budgets_is_proven_in_few_nodes():
    """Several budgets that bind together: without counts such a tree has thousands of nodes."""
    problem = rep_bound_problem(300, seed=2)
    budget = next(x for x in problem.limits if x.rule == "budget" and x.channel is None)
    problem.limits[problem.limits.index(budget)] = replace(budget, limit_id="limit900", bound=9000.0)
    solution = solve(problem)
    assert (solution.status, solution.gap <= 1e-4, solution.nodes < 2000) == ("optimal", True, True)


def test_large_programs_go_on_in_counts_where_the_plain_ones_stop(monkeypatch):
    """The second writing of a program, forced on small ones: same optimum as brute force, and its nodes are spent too."""
    monkeypatch.setattr(program, "COUNTED_AT_ONCE", 0)
    monkeypatch.setattr(program, "PLAIN_NODES", 1)
    solved = 0
    for seed in range(3000, 3040):
        problem = random_problem(seed, max_hcps=8)
        optimum, _ = brute_force(problem)
        if optimum is None:
            continue
        solution = solve(problem)
        solved += 1
        assert solution.objective - solution.penalty == pytest.approx(optimum, rel=1e-7, abs=1e-7)
        assert solution.upper_bound >= optimum - 1e-7
    assert solved >= 15
