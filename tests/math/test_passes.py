"""Passes over the blocks: every bound on the way holds, and better prices are found where whole visits leave minutes over."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from plan_cases import brute_force, limit, make_problem, random_problem

import optimization.blocks as blocks
import optimization.solve as solving
from optimization.blocks import partition
from optimization.choice import choose
from optimization.passes import BlockPlans, Wide, next_prices, price_again
from optimization.prices import LimitsConflict, solve_prices
from optimization.program import incumbent_of
from optimization.sets import build_sets
from optimization.shared import Pricing, build_shared
from optimization.solve import solve


@pytest.fixture
def passes(monkeypatch):
    """Small problems take the path of large ones; the plans of every pass are handed out."""
    monkeypatch.setattr(solving, "EXACT_COLUMNS", 0)
    monkeypatch.setattr(solving, "NARROW", 0)
    monkeypatch.setattr(solving, "FIRST_EXTRA", 1)
    monkeypatch.setattr(blocks, "BLOCK_HCPS", 3)
    seen: list[blocks.BlockPass] = []
    real = blocks.Blocks.solve

    def watched(*arguments):
        seen.append(real(*arguments))
        return seen[-1]

    monkeypatch.setattr(blocks.Blocks, "solve", watched)
    return seen


def test_every_bound_of_every_pass_is_above_the_optimum(passes):
    passed = again = 0
    for seed in range(4000, 4060):
        problem = random_problem(seed, max_hcps=8)
        problem = replace(problem, settings=replace(problem.settings, gap=1e-9))
        optimum, _ = brute_force(problem)
        passes.clear()
        try:
            solution = solve(problem)
        except LimitsConflict:
            assert optimum is None
            continue
        assert all(plan.bound >= optimum - 1e-7 for plan in passes)
        assert solution.upper_bound >= optimum - 1e-7 >= solution.objective - solution.penalty - 2e-7
        passed += len(passes) > 0
        again += len(passes) > 1
    assert (passed >= 10, again >= 3) == (True, True)


def rep_remainders(hcps=480, reps=8):
    """Visits of 45 minutes and calls of 25 against 200 minutes a rep, and one budget for all."""
    rng = np.random.default_rng(7)
    value = rng.gamma(2.0, 1.0, (hcps, 2)) * [1.0, 0.5]
    pairs, owner = np.arange(2 * hcps), np.arange(2 * hcps) // 2
    minutes, cost = np.tile([45.0, 25.0], hcps), np.tile([100.0, 30.0], hcps)
    limits = [limit(0, "max", 2150.0, pairs, cost)]
    for rep in range(reps):
        mine = pairs[owner % reps == rep]
        limits.append(limit(1 + rep, "max", 200, mine, minutes[mine], rule="rep_capacity", unit="minutes", rep_id=f"r{rep}"))
    return make_problem(value, limits=limits, cost=[100.0, 30.0], minutes=[45.0, 25.0])


def test_passes_prove_reps_whose_minutes_whole_visits_do_not_fill(passes, monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK_HCPS", 60)
    solution = solve(rep_remainders())
    total = solution.objective - solution.penalty
    assert (solution.status, solution.gap <= 1e-4) == ("optimal", True)
    assert len(passes) >= 1
    assert solution.prices.bound - total > 1e-3 * total  # or the prices of z_LP would have been proof enough


def test_the_linear_program_over_plans_weighs_value_against_use():
    # One group, two plans: worth 10 using 4, worth 6 using 1; 2 are there. Mixing at 1/3 is best: 6 + 4/3, price 4/3 a unit.
    wide = Wide(np.array([0]), np.array([2.0]), np.array([0.0]), np.array([5.0]))
    rich, poor = (BlockPlans(np.zeros(1), np.empty(0), 20.0, np.array([w]), np.array([[u]])) for w, u in ((10.0, 4.0), (6.0, 1.0)))
    price, reachable = next_prices(wide, [rich, poor])
    assert price == pytest.approx([4 / 3])
    assert reachable == pytest.approx(6 + 4 / 3)
    price, reachable = next_prices(wide, [rich])  # 2 too much: dearer as far as the box goes
    assert (price, reachable) == (pytest.approx([5.0]), pytest.approx(0.0))


def test_no_further_pass_without_wide_limits_or_hope(monkeypatch):
    plan = BlockPlans(np.zeros(1), np.empty(0), 8.0, np.array([8.0]), np.array([[1.0]]))
    nothing = Wide(np.empty(0, dtype=np.int64), np.empty(0), np.empty(0), np.empty(0))
    assert price_again(None, nothing, [plan], 0.1) is None
    enough = Wide(np.array([0]), np.array([1.0]), np.array([0.0]), np.array([5.0]))
    assert price_again(None, enough, [plan], 0.1) is None


def test_a_choice_mixes_the_plans_of_two_passes(monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK_HCPS", 60)
    problem = rep_remainders()
    sets = build_sets(problem)
    shared = build_shared(problem, sets)
    priced = partition(Pricing(sets, shared))
    cost = np.full(shared.count, np.inf)
    price = solve_prices(sets, shared, cost).price
    none = np.zeros(priced.count)
    low, high = (priced.solve(np.where(priced.wide, price * factor, price), cost, 24, none, 2000, 1) for factor in (0.7, 1.3))
    number = np.flatnonzero(priced.wide)
    used = [shared.total_use(sets, found.columns)[number] for found in (low, high)]
    assert np.any(used[0] > shared.bound[number]) and np.all(used[1] <= shared.bound[number])
    plans = {}
    for name, earlier in (("alone", []), ("mixed", [low.columns])):
        columns = choose(priced, high, cost, 1, 0.0, problem.settings, earlier)
        plans[name] = incumbent_of(sets, shared, columns, cost)
    open_ = high.bound - plans["alone"].total
    assert plans["mixed"].total > plans["alone"].total + 0.1 * open_
    assert plans["mixed"].total <= min(low.bound, high.bound)
