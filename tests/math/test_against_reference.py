"""At least 1,000 random problems with limits of every kind: the solver's plan, bounds and prices against the Pyomo reference, every plan
by definition, and plain linear programs."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from compared import compare, compare_prices, signs
from every_plan import all_plans, continuous_bound
from instances import MEDIUM, SMALL, TINY, random_instance


def batches(first, last, size):
    return [pytest.param(range(a, min(a + size, last)), id=f"{a}-{min(a + size, last) - 1}") for a in range(first, last, size)]


def solved(seeds, shape, prices=True):
    """How many of the seeds have a plan; each is compared, and the failure names it."""
    count = 0
    for seed in seeds:
        problem = random_instance(seed, shape)
        compared = compare(problem, f"seed {seed} of {shape}")
        count += compared is not None
        if compared is not None and prices:
            compare_prices(problem, compared, f"seed {seed} of {shape}")
    return count


def test_the_instances_hold_every_kind():
    """What the random problems are made of: without one of these the comparison below would prove less than it says."""
    seen = Counter()
    for seed in range(300):
        problem = random_instance(seed, SMALL)
        for limit in problem.limits:
            seen[f"{limit.rule} {limit.side} {limit.unit} {limit.hardness}"] += 1
            seen["own use"] += limit.use.ndim == 2
            seen["refund"] += bool((limit.use < 0).any())
            seen["nobody uses it"] += not limit.use.any() or len(limit.hcps) == 0
            seen["zero bound"] += limit.bound == 0
            seen["scope"] += 0 < len(limit.hcps) < len(problem.hcp_ids)
            seen["reached at most"] += (limit.side, limit.counts) == ("max", "hcps")
        seen["stated twice"] += len({id(limit.use) for limit in problem.limits}) < len(problem.limits)
        seen["pins"] += len(problem.pins) > 0
        seen["caps"] += len(problem.caps) > 0
        seen["least"] += any(row.least is not None and max(row.least) > 1 for row in problem.exclusive)
        seen["clash of three"] += any(row.members.shape[1] == 3 for row in problem.exclusive)
        seen["four touches"] += bool((problem.most_touches == 4).any())
        seen["losses"] += bool((problem.value < 0).any())
        seen["all equal"] += len(np.unique(problem.value)) == 1 < problem.pair_count
        seen["no overlap"] += problem.settings.overlap == 0
        seen["most overlap"] += problem.settings.overlap == 0.5
        seen["one HCP"] += len(problem.hcp_ids) == 1
    names = {"budget max cost hard", "rep_capacity max minutes hard", "rep_capacity max touches hard"}
    names |= {f"channel_capacity {side} touches hard" for side in ("max", "min")}
    names |= {f"coverage_floor min hcps {hardness}" for hardness in ("soft", "hard")}
    names |= {"own use", "refund", "nobody uses it", "zero bound", "scope", "reached at most", "stated twice", "pins", "caps", "least"}
    names |= {"clash of three", "four touches", "losses", "all equal", "no overlap", "most overlap", "one HCP"}
    assert {name: seen[name] for name in names if seen[name] < 5} == {}


@pytest.mark.parametrize("seeds", batches(0, 600, 50))
def test_tiny_problems(seeds):
    assert solved(seeds, TINY) >= len(seeds) // 2


@pytest.mark.parametrize("seeds", batches(0, 500, 25))
def test_small_problems(seeds):
    assert solved(seeds, SMALL) >= len(seeds) // 2


@pytest.mark.parametrize("seeds", batches(0, 12, 4))
def test_problems_of_some_dozen_hcps(seeds):
    assert solved(seeds, MEDIUM, prices=False) >= len(seeds) // 2


@pytest.mark.long
@pytest.mark.parametrize("seeds", batches(10_000, 12_000, 250))
def test_many_more_small_problems(seeds):
    assert solved(seeds, SMALL) >= len(seeds) // 2


@pytest.mark.long
@pytest.mark.parametrize("seeds", batches(1_000, 1_150, 25))
def test_many_more_problems_of_some_dozen_hcps(seeds):
    assert solved(seeds, MEDIUM) >= len(seeds) // 2


@pytest.mark.parametrize("seeds", batches(2_000, 2_020, 5))
def test_a_looser_gap_is_kept(seeds):
    """At a gap of 1 % the plan may be worse, the bound never wrong: `compare` allows just the gap."""
    for seed in seeds:
        problem = random_instance(seed, MEDIUM)
        compare(replace(problem, settings=replace(problem.settings, gap=0.01)), f"seed {seed} at gap 0.01")


@pytest.mark.parametrize("seeds", batches(3_000, 3_080, 20))
def test_a_price_lies_between_the_gains_of_one_unit_more_and_less(seeds):
    checked = 0
    for seed in seeds:
        problem = random_instance(seed, TINY)
        compared = compare(problem, f"seed {seed}")
        if compared is None:
            continue
        options, solution = compare_prices(problem, compared, f"seed {seed}"), compared.solution
        problem = replace(problem, settings=replace(problem.settings, floor_penalty=solution.floor_penalty))

        def z(number, step, problem=problem, options=options):
            limits = list(problem.limits)
            limits[number] = replace(limits[number], bound=limits[number].bound + signs(problem)[number] * step)
            found = continuous_bound(replace(problem, limits=limits), options)
            return -np.inf if found is None else found

        here = z(0, 0.0) if problem.limits else 0.0
        for number, price in enumerate(solution.price):
            assert z(number, 1.0) - here <= price + 1e-6, f"seed {seed}, limit {number}: price {price} is below the gain of one more"
            assert here - z(number, -1.0) >= price - 1e-6, f"seed {seed}, limit {number}: price {price} is above the loss of one less"
            checked += 1
    assert checked >= 20


@pytest.mark.parametrize("seeds", batches(4_000, 4_200, 50))
def test_a_pair_short_of_value_is_in_no_optimal_plan(seeds):
    """Raising all touches of a pair together by less than value_short - (price_bound - (objective - penalty)) changes nothing."""
    guaranteed = 0
    for seed in seeds:
        problem = random_instance(seed, TINY)
        compared = compare(problem, f"seed {seed}")
        if compared is None:
            continue
        options, solution = compare_prices(problem, compared, f"seed {seed}"), compared.solution
        plans = all_plans(problem)
        assert float(plans.total.max()) == pytest.approx(compared.optimum, abs=compared.tolerance)
        for pair in range(problem.pair_count):
            guaranteed += _short_as_promised(problem, solution, options, plans, pair, compared.tolerance, f"seed {seed}, pair {pair}")
    assert guaranteed >= 30


def _short_as_promised(problem, solution, options, plans, pair, tolerance, place):
    """1 where the guarantee says something about the pair and holds, 0 where it says nothing."""
    hcp, channel = divmod(pair, len(problem.channels))
    priced = options[hcp].value - options[hcp].use @ (signs(problem) * np.asarray(solution.price))
    holding = options[hcp].touches[:, channel] > 0
    assert solution.best[hcp] == pytest.approx(priced.max(), abs=10 * tolerance), place
    if not holding.any():
        assert solution.forced[pair] == -np.inf, place
        return 0
    assert solution.forced[pair] == pytest.approx(priced[holding].max(), abs=10 * tolerance), place
    short = max(0.0, float(solution.best[hcp] - solution.forced[pair]))
    total = solution.objective - solution.penalty
    rise = 0.999 * (short - (solution.price_bound - total)) - 10 * tolerance
    if rise <= 0:
        return 0
    raised = plans.total + rise * plans.holding(hcp, channel)
    assert not plans.holding(hcp, channel)[raised >= raised.max() - tolerance / 10].any(), f"{place}: short {short}, raised by {rise}"
    return 1
