"""`optimization.allocate` on public kinds of instances drawn by their recipes: generalised assignment, multiple-choice and
multi-dimensional knapsack, and rows of every kind, each against HiGHS at gap 0 on the plain 0/1 program."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from public_recipes import Instance, any_rows, assignment, group_rows, knapsacks, multiple_choice, optimum
from scipy import sparse

import optimization

INF = np.inf


def solved(instance, gap=1e-9, known_to=0.0):
    """The answer, after everything that must hold for any answer has been seen to hold; known_to: gap at which HiGHS may stop."""
    best = optimum(instance, gap=known_to)
    found = optimization.allocate(*instance.arguments, gap=gap)
    n, m = len(instance.value), instance.rows.shape[0]
    assert found.chosen.shape == (n,) and found.chosen.dtype == bool
    assert np.shape(found.prices) == (m,)
    if best is None:
        assert found.status == "infeasible"
        assert not found.chosen.any()
        return found
    low, high = best
    tolerance = 1e-7 * max(1.0, abs(low), float(np.abs(instance.value).max(initial=0.0)))
    assert found.status == "optimal"
    assert found.objective == pytest.approx(float(instance.value @ found.chosen), abs=tolerance)
    assert low - gap * abs(found.objective) - tolerance <= found.objective <= high + tolerance
    assert found.upper_bound >= low - tolerance
    assert found.gap == pytest.approx(max(0.0, found.upper_bound - found.objective) / max(abs(found.objective), 1e-9), abs=1e-12)
    assert found.gap <= gap
    _keeps_rows(instance, found.chosen)
    assert np.all(np.isfinite(found.prices))
    return found


def _keeps_rows(instance, chosen):
    matrix, most = group_rows(instance)
    assert np.all(matrix @ chosen <= most)
    use = instance.rows @ chosen.astype(float)
    assert np.all(use <= instance.upper + 1e-6 * np.abs(instance.upper) + 1e-9)
    assert np.all(use >= instance.lower - 1e-6 * np.abs(instance.lower) - 1e-9)


def whole(value, group=None, at_most=1, rows=None, lower=(), upper=()):
    value = np.asarray(value, dtype=np.float64)
    group = np.arange(len(value)) if group is None else np.asarray(group)
    matrix = (
        sparse.csr_matrix((0, len(value)))
        if rows is None
        else sparse.csr_matrix(np.asarray(rows, dtype=np.float64).reshape(-1, len(value)))
    )
    return Instance(value, group, at_most, matrix, np.asarray(lower, dtype=np.float64), np.asarray(upper, dtype=np.float64))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", list("ABCDE"))
def test_generalised_assignment_every_job_once(kind, seed):
    instance = assignment(kind, 3 + seed, 12, seed)
    found = solved(instance)
    assert found.objective < 0
    assert np.all(np.bincount(instance.group[found.chosen], minlength=12) == 1)


@pytest.mark.parametrize("kind", list("CD"))
def test_generalised_assignment_at_the_default_gap(kind):
    solved(assignment(kind, 5, 20, 9), gap=1e-4, known_to=1e-3)


@pytest.mark.long
@pytest.mark.parametrize("kind", list("ABCDE"))
@pytest.mark.parametrize(("agents", "jobs"), [(5, 60), (10, 60)])
def test_larger_generalised_assignment(kind, agents, jobs):
    solved(assignment(kind, agents, jobs, 1), gap=1e-3, known_to=5e-3)


def test_assignment_without_room_for_all_jobs_is_infeasible():
    instance = assignment("C", 3, 9, 5)
    assert solved(replace(instance, upper=np.concatenate([np.full(3, 10.0), np.ones(9)]))).status == "infeasible"


def test_assignment_that_may_leave_jobs_out_chooses_none_at_a_cost():
    instance = assignment("A", 3, 9, 5)
    lower = np.concatenate([np.full(3, -INF), np.zeros(9)])
    found = solved(replace(instance, lower=lower))
    assert (found.objective, found.upper_bound) == (0.0, 0.0)
    assert not found.chosen.any()


@pytest.mark.parametrize("exactly", [False, True], ids=["at most one", "exactly one"])
@pytest.mark.parametrize("kind", ["uncorrelated", "weakly correlated", "strongly correlated", "subset sum", "both sorted"])
@pytest.mark.parametrize(("classes", "items"), [(10, 5), (20, 8)])
def test_multiple_choice_knapsack(kind, exactly, classes, items):
    instance = multiple_choice(kind, classes, items, 7, exactly)
    found = solved(instance)
    if exactly:
        assert np.all(np.bincount(instance.group[found.chosen], minlength=classes) == 1)


@pytest.mark.long
@pytest.mark.parametrize("kind", ["uncorrelated", "weakly correlated", "strongly correlated", "subset sum", "both sorted"])
def test_larger_multiple_choice_knapsack(kind):
    solved(multiple_choice(kind, 1000, 10, 3), gap=1e-4, known_to=1e-4)


def test_classes_of_more_items_than_any_hcp_has_channels():
    solved(multiple_choice("uncorrelated", 6, 90, 2))


@pytest.mark.parametrize("tightness", [0.25, 0.5, 0.75])
@pytest.mark.parametrize(("dimensions", "items"), [(1, 40), (5, 25)])
def test_multi_dimensional_knapsack(dimensions, items, tightness):
    solved(knapsacks(dimensions, items, tightness, 4))


@pytest.mark.parametrize("seeds", [range(first, first + 25) for first in range(0, 200, 25)], ids=str)
def test_rows_of_every_kind(seeds):
    found = [solved(any_rows(seed)).status for seed in seeds]
    assert found.count("optimal") >= 15


def test_rows_of_every_kind_are_sometimes_infeasible():
    assert 0 < sum(optimum(any_rows(seed)) is None for seed in range(200)) < 100


@pytest.mark.parametrize("seed", range(20))
def test_prices_give_the_bound_of_fractions(seed):
    """Prices of rows over many groups: positive where the upper side binds, negative where the lower side does; at them the best choice of
    every group plus what the rows leave is the optimum of the program that allows fractions."""
    rng = np.random.default_rng(seed)
    n, groups = 24, 8
    rows = rng.integers(1, 9, (3, n)).astype(float)
    use = rows @ (rng.random(n) < 0.3)
    instance = whole(
        np.round(rng.normal(1, 2, n), 3), np.arange(n) % groups, 2, rows, [-INF, use[1], use[2] - 1], [use[0], INF, use[2] + 1]
    )
    best = optimum(instance)
    found = solved(instance)
    if best is None:
        return
    price = np.asarray(found.prices)
    assert price[0] >= 0 >= price[1]
    gain = np.sort(np.maximum(instance.value - instance.rows.T @ price, 0.0).reshape(-1, groups), axis=0)[-2:].sum()
    side = np.where(price > 0, instance.upper, np.where(price < 0, instance.lower, 0.0))
    assert gain + float(price @ side) == pytest.approx(optimum(instance, integer=False)[0], rel=1e-6)


def test_no_rows_take_the_best_of_each_group():
    found = solved(whole([3.0, 5.0, -1.0, 2.0], [0, 0, 1, 2]))
    assert found.chosen.tolist() == [False, True, False, True]
    assert (found.objective, found.upper_bound, found.gap) == (7.0, 7.0, 0.0)


def test_rows_over_nothing_say_nothing_or_cannot_hold():
    assert solved(whole([1.0, 2.0], rows=[[0, 0]], lower=[0], upper=[0])).objective == 3.0
    assert solved(whole([1.0, 2.0], rows=[[0, 0]], lower=[-INF], upper=[INF])).objective == 3.0
    assert solved(whole([1.0, 2.0], rows=[[0, 0]], lower=[1], upper=[INF])).status == "infeasible"
    assert solved(whole([1.0, 2.0], rows=[[0, 0]], lower=[-INF], upper=[-1])).status == "infeasible"


def test_rows_that_contradict_each_other():
    assert solved(whole([1.0, 2.0], rows=[[1, 1], [1, 1]], lower=[2, -INF], upper=[INF, 1])).status == "infeasible"
    assert solved(whole([1.0, 2.0], rows=[[2, 2]], lower=[3], upper=[3])).status == "infeasible"  # only with a fraction
    assert solved(whole([1.0, 2.0], [0, 0], 1, rows=[[1, 1]], lower=[2], upper=[2])).status == "infeasible"


def test_an_equality_forces_a_loss():
    found = solved(whole([-5.0, -2.0, 4.0], rows=[[1, 1, 0]], lower=[1], upper=[1]))
    assert found.chosen.tolist() == [False, True, True]
    assert found.objective == 2.0


def test_groups_with_any_numbers_in_any_order():
    value, group = [4.0, 3.0, 2.0, 1.0, 6.0, 5.0], [70, -3, 70, -3, 5, 5]
    assert solved(whole(value, group, 1)).chosen.tolist() == [True, True, False, False, True, False]
    # One number per group, in rising order of the groups: -3 takes two, 5 none, 70 one.
    assert solved(whole(value, group, np.array([2, 0, 1]))).chosen.tolist() == [True, True, False, True, False, False]


def test_several_of_a_group_and_a_group_as_large_as_all():
    assert solved(whole([4.0, 3.0, 2.0, -1.0], [0, 0, 0, 0], 2)).objective == 7.0
    assert solved(whole([4.0, 3.0, 2.0, -1.0], [0, 0, 0, 0], 99)).objective == 9.0
    rng = np.random.default_rng(8)
    weight = rng.integers(10, 100, 30).astype(float)
    one_group = whole(weight + rng.integers(0, 9, 30), np.zeros(30, dtype=int), 30, [weight], [-INF], [weight.sum() // 2])
    solved(one_group)


@pytest.mark.parametrize("rows", [0, 2])
def test_nothing_to_choose_from(rows):
    empty = Instance(np.zeros(0), np.zeros(0, dtype=int), 1, sparse.csr_matrix((rows, 0)), np.full(rows, -INF), np.zeros(rows))
    found = solved(empty)
    assert (found.status, found.objective, found.upper_bound, found.gap) == ("optimal", 0.0, 0.0, 0.0)
    if rows:
        assert solved(replace(empty, lower=np.ones(rows), upper=np.full(rows, INF))).status == "infeasible"


def test_the_same_instance_twice_is_the_same_answer():
    instance = assignment("D", 4, 16, 3)
    first, second = (optimization.allocate(*instance.arguments) for _ in range(2))
    assert np.array_equal(first.chosen, second.chosen)
    assert np.array_equal(first.prices, second.prices)
    assert (first.objective, first.upper_bound) == (second.objective, second.upper_bound)


def test_matrices_of_other_makes_and_whole_numbers_are_taken():
    plain = whole([3, 2, 2], None, 1, [[2, 1, 1]], [-INF], [2])
    for rows in (plain.rows.tocsc(), plain.rows.tocoo(), sparse.csr_array(plain.rows), plain.rows.astype(np.int64)):
        answer = optimization.allocate(np.array([3, 2, 2]), [0, 1, 2], 1, rows, plain.lower, plain.upper)
        assert answer.objective == 4.0


@pytest.mark.parametrize("unit", [1e-12, 1e9])
def test_units_of_rows_do_not_matter(unit):
    for seed in range(12):
        plain = any_rows(seed)
        scaled = replace(plain, rows=sparse.csr_matrix(plain.rows * unit), lower=plain.lower * unit, upper=plain.upper * unit)
        first, second = (optimization.allocate(*instance.arguments, gap=1e-9) for instance in (plain, scaled))
        assert first.status == second.status
        if first.status == "optimal":
            assert second.objective == pytest.approx(first.objective, rel=1e-9, abs=1e-9)
            assert second.prices * unit == pytest.approx(first.prices, rel=1e-6, abs=1e-9)
