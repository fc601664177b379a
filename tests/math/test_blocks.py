"""Blocks solved apart: their bound holds in any unit of their limits, and their plans are those of the whole."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from plan_cases import SETTINGS, brute_force, make_problem, random_problem

import optimization.blocks as blocks
import optimization.solve as solving
from optimization.prices import LimitsConflict
from optimization.problem import Limit
from optimization.sets import build_sets
from optimization.shared import Pricing, build_shared
from optimization.solve import solve


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    """Small problems take the path of large ones."""
    monkeypatch.setattr(solving, "EXACT_COLUMNS", 0)
    monkeypatch.setattr(solving, "NARROW", 0)
    monkeypatch.setattr(blocks, "BLOCK_HCPS", 3)


@pytest.mark.parametrize("unit", [1e-12, 1e-6, 1.0, 1e9])
def test_no_bound_is_below_the_optimum_in_any_unit(unit):
    """Uses of 1e-12 differ by less than any fixed tolerance: they must not be taken for the same."""
    solved = 0
    for seed in range(7000, 7030):
        problem = random_problem(seed, max_hcps=8)
        optimum, _ = brute_force(problem)
        limits = [replace(x, bound=x.bound * unit, use=x.use * unit) if x.counts == "touches" else x for x in problem.limits]
        scaled = replace(problem, limits=limits)
        try:
            solution = solve(scaled)
        except LimitsConflict:
            assert optimum is None
            continue
        if optimum is None:
            continue  # a minimum missed by less than the contract's smallest tolerance is kept
        assert solution.upper_bound >= optimum - 1e-7 * max(1.0, abs(optimum)), seed
        solved += 1
    assert solved >= 15


def test_a_plan_that_only_just_fits_its_block_is_found():
    """Two reps, each with uses that sum to its limit to the last digit in one way only."""
    rng = np.random.default_rng(11)
    use = np.round(rng.uniform(1, 9, (6, 1)), 6)
    limits = []
    for rep, hcps in enumerate(([0, 1, 2], [3, 4, 5])):
        numbers = np.array(hcps, dtype=np.int32)
        bound = float(use[hcps[0], 0] + use[hcps[2], 0])
        limits.append(Limit(f"rep{rep}", "rep_capacity", "max", "minutes", f"rep {rep}", bound, numbers, use[numbers]))
    value = np.array([[5.0], [1.0], [4.0], [3.0], [0.5], [6.0]])
    solution = solve(make_problem(value, limits=limits, settings=replace(SETTINGS, gap=1e-9)))
    assert solution.pairs.tolist() == [0, 2, 3, 5]
    assert solution.upper_bound == pytest.approx(18.0)


def test_limits_that_lie_in_each_other_stay_in_their_territory(monkeypatch):
    """Reps in two territories of 800 HCPs, a budget each and one for all: only the last is across blocks."""
    monkeypatch.setattr(blocks, "BLOCK_HCPS", 1000)
    hcps, limits = np.arange(1600, dtype=np.int32), []
    for name, size in (("rep", 100), ("territory", 800), ("all", 1600)):
        for first in range(0, 1600, size):
            mine = hcps[first : first + size]
            limits.append(Limit(f"{name}{first}", "budget", "max", "cost", name, size / 3, mine, np.ones((size, 1))))
    problem = make_problem(np.random.default_rng(5).uniform(1, 2, (1600, 1)), limits=limits)
    sets = build_sets(problem, 1)
    found = blocks.partition(Pricing(sets, build_shared(problem, sets)))
    assert found.count == 2
    assert [problem.limits[number].label for number in np.flatnonzero(found.wide)] == ["all"]
