"""Prices are the exact dual of z_LP: bound, slope and choice."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from plan_cases import SETTINGS, brute_force, limit, make_problem, random_problem, rep_bound_problem
from scipy import sparse
from scipy.optimize import linprog

from optimization import allocate, restricted
from optimization.prices import LimitsConflict, price_bound, solve_prices
from optimization.sets import build_sets
from optimization.shared import build_shared


def priced(problem):
    sets = build_sets(problem)
    shared = build_shared(problem, sets)
    penalty = problem.settings.floor_penalty
    if penalty is None:
        penalty = 2 * max(0.0, float(values(sets).max(initial=0.0)))
    cost = np.where(shared.soft, penalty, np.inf)
    return sets, shared, cost, solve_prices(sets, shared, cost)


def values(sets):
    return sets.value_of(np.arange(sets.column_count))


def whole_program(problem, sets, shared, cost):
    """z_LP by another solver over all columns at once; None where the limits contradict each other."""
    use = sparse.diags(shared.sign) @ shared.use_of(sets, np.arange(sets.column_count))
    soft = np.flatnonzero(shared.soft)
    missing = sparse.csc_matrix((-np.ones(len(soft)), (soft, np.arange(len(soft)))), shape=(shared.count, len(soft)))
    one = sparse.csc_matrix(
        (np.ones(sets.column_count), (sets.owner_of(np.arange(sets.column_count)), np.arange(sets.column_count))),
        shape=(sets.hcp_count, sets.column_count),
    )
    one = sparse.hstack([one, sparse.csc_matrix((sets.hcp_count, len(soft)))])
    answer = linprog(
        np.concatenate([-values(sets), cost[soft]]),
        sparse.hstack([use, missing]) if shared.count else None,
        shared.sign * shared.bound if shared.count else None,
        one,
        np.ones(sets.hcp_count),
        method="highs-ipm",
    )
    return -answer.fun if answer.status == 0 else None


@pytest.mark.parametrize("first", range(0, 60, 20))
def test_price_bound_is_the_optimum_of_the_whole_linear_program(first):
    for seed in range(first, first + 20):
        problem = random_problem(seed, max_hcps=10, max_channels=4)
        problem = replace(problem, pins=np.empty(0, dtype=np.int64), pin_labels=[])
        try:
            sets, shared, cost, prices = priced(problem)
        except LimitsConflict:
            sets = build_sets(problem)
            shared = build_shared(problem, sets)
            assert whole_program(problem, sets, shared, np.where(shared.soft, 1.0, np.inf)) is None
            continue
        optimum = whole_program(problem, sets, shared, cost)
        assert prices.bound == pytest.approx(optimum, rel=1e-7, abs=1e-7)
        assert np.all(prices.price >= 0)
        assert np.all(prices.price <= cost)
        slack = shared.sign * (shared.bound - shared.total_use(sets, sets.start[:-1]))
        assert slack.shape == prices.price.shape


def test_price_bound_at_scale_matches_to_the_ninth_digit():
    sets, shared, cost, prices = priced(rep_bound_problem(600))
    optimum = whole_program(None, sets, shared, cost)
    assert prices.bound == pytest.approx(optimum, rel=1e-9)


def test_any_prices_give_a_valid_bound_and_the_published_ones_the_lowest():
    rng = np.random.default_rng(0)
    tried = 0
    for seed in range(30):
        problem = random_problem(seed)
        optimum, _ = brute_force(problem)
        if optimum is None:
            continue
        sets, shared, cost, prices = priced(problem)
        for spread in (0.1, 1.0, 10.0):
            other = np.clip(prices.price + rng.normal(0, spread, shared.count), 0, cost)
            bound = price_bound(sets, shared, other)
            assert bound >= optimum - 1e-9
            assert bound >= prices.bound - 1e-8
            tried += 1
    assert tried > 40


def test_a_price_lies_between_the_gains_of_loosening_and_of_tightening():
    checked = 0
    for seed in range(40):
        problem = random_problem(seed, max_hcps=8)
        try:
            _, shared, _, prices = priced(problem)
        except LimitsConflict:
            continue
        for number in range(shared.count):
            if shared.soft[number] and problem.settings.floor_penalty is None:
                problem = replace(problem, settings=replace(problem.settings, floor_penalty=3.0))
                _, shared, _, prices = priced(problem)

            def z(step, number=number, problem=problem):
                limits = list(problem.limits)
                sign = 1 if limits[number].side == "max" else -1
                limits[number] = replace(limits[number], bound=limits[number].bound + sign * step)
                try:
                    return priced(replace(problem, limits=limits))[3].bound
                except LimitsConflict:
                    return -np.inf

            assert z(1.0) - prices.bound <= prices.price[number] + 1e-6
            assert prices.bound - z(-1.0) >= prices.price[number] - 1e-6
            checked += 1
    assert checked > 60


def test_a_soft_floor_costs_at_most_its_penalty():
    floor = limit(0, "min", 2, [0, 1], None, "hcps", "soft", "coverage_floor", "hcps")
    problem = make_problem([[-3.0], [-4.0]], limits=[floor], settings=replace(SETTINGS, floor_penalty=1.5))
    prices = priced(problem)[3]
    assert prices.price.tolist() == pytest.approx([1.5])
    assert prices.bound == pytest.approx(-3.0)


def test_of_many_optimal_prices_the_gain_per_unit_loosened_is_published():
    # A limit of 0 touches: every price from 1 up is optimal; one more touch brings 1.
    nothing = make_problem(np.ones((2, 2)), limits=[limit(0, "max", 0, range(4))])
    assert priced(nothing)[3].price.tolist() == pytest.approx([1.0])
    # Two of three touches fit exactly: any price between 2 and 5 is optimal; the third would bring 2.
    full = make_problem([[9.0], [5.0], [2.0]], limits=[limit(0, "max", 2, range(3))])
    assert priced(full)[3].price.tolist() == pytest.approx([2.0])


def test_a_limit_stated_twice_has_one_answer():
    twice = [limit(n, "max", 1, range(3)) for n in (0, 1)]
    first = priced(make_problem([[9.0], [5.0], [2.0]], limits=twice))[3].price
    assert first.sum() == pytest.approx(5.0)
    assert np.array_equal(first, priced(make_problem([[9.0], [5.0], [2.0]], limits=twice))[3].price)


def test_minutes_worth_by_hand():
    # 30 minutes for 5 KPI, 20 for 4, 45 for 6 and room for 60: 50 are filled, the last 10 take 10/45 of the third: 6/45 a minute.
    problem = make_problem([[5.0], [4.0], [6.0]], limits=[limit(0, "max", 60, range(3), [30, 20, 45])])
    prices = priced(problem)[3]
    assert prices.price.tolist() == pytest.approx([6 / 45])
    assert prices.bound == pytest.approx(9 + 10 * 6 / 45)


def test_equal_hcps_are_priced_as_one(monkeypatch):
    """Many HCPs that are the same: the program over one for all has the prices of the program over each."""
    import optimization.prices as prices

    rng = np.random.default_rng(5)
    hcps, channels, reps = 60, 3, 4
    hcp, channel = np.divmod(np.arange(hcps * channels), channels)
    value = np.array([3.0, 2.0, 1.0])[channel] + (hcp % 2) * 0.25  # two kinds of HCPs per rep
    minutes = np.array([30.0, 10.0, 0.0])[channel]
    rep = hcp % reps
    place = (np.concatenate([rep, np.full(len(hcp), reps)]), np.concatenate([np.arange(len(hcp))] * 2))
    rows = sparse.csr_matrix((np.concatenate([minutes, np.array([100.0, 20.0, 1.0])[channel]]), place), shape=(reps + 1, len(hcp)))
    upper = np.concatenate([rng.integers(80, 200, reps) * 1.0, [2500.0]])
    sizes = []

    def counting(part):
        fewer, times = restricted.alike(part)
        sizes.append((part.hcp_count, fewer.hcp_count))
        assert times.sum() == part.hcp_count
        return fewer, times

    def solved():
        return allocate(value, hcp, 2, rows, np.full(reps + 1, -np.inf), upper, 1e-6)

    monkeypatch.setattr(prices, "alike", counting)
    merged = solved()
    assert any(after < before / 2 for before, after in sizes)
    monkeypatch.setattr(prices, "alike", lambda part: (part, np.ones(part.hcp_count)))
    plain = solved()
    np.testing.assert_allclose(merged.prices, plain.prices, atol=1e-7)
    assert merged.objective == pytest.approx(plain.objective) and merged.upper_bound >= merged.objective
