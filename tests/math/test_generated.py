"""Beyond the envelope: with generated sets the plan, the bounds, the prices and the forced values are those over all sets.

Small random problems take this path because the envelope is lowered to 3 sets per HCP; references see every touch vector or share no code.
"""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from compared import compare, compare_prices
from every_plan import options_of
from instances import MEDIUM, SMALL, TINY, Shape, random_instance
from plan_cases import SETTINGS, make_problem, per_hcp_cap, scope_limit

import optimization.generated as generated
import optimization.sets as listed
from optimization.checker import check_plan
from optimization.generated import GeneratedSolution
from optimization.generated_sets import AllSets, Pool
from optimization.prices import LimitsConflict
from optimization.reference import NoPlan, reference_solve
from optimization.shared import Pricing, build_shared
from optimization.solve import solve


@pytest.fixture
def narrow(monkeypatch):
    """An envelope of 3 sets per HCP."""
    monkeypatch.setattr(listed, "MOST_SETS", 3)


def many_sets(hcps, seed=0, channels=12, most=3, gap=1e-4):
    """No contact limit at all: up to (most + 1) ** channels sets per HCP; budget, rep minutes, soft floors and a capacity are tight."""
    rng = np.random.default_rng(seed)
    value = rng.gamma(2, 0.5, (hcps, 1)) * np.geomspace(1, 0.1, channels) * rng.lognormal(0, 0.5, (hcps, channels)) - 0.05
    eligible, cost = rng.random((hcps, channels)) < 0.9, np.geomspace(120, 1, channels).round(1)
    visits, everyone = np.where(np.arange(channels) < 2, 1.0, 0.0), np.arange(hcps)
    limits = [scope_limit(0, "max", 90 * hcps, everyone, cost)]
    limits.append(scope_limit(1, "max", 1.2 * hcps // 1, everyone, np.arange(channels) == 4, rule="channel_capacity", unit="touches"))
    for number, mine in enumerate(np.array_split(everyone, max(1, hcps // 40))):
        key = {"rule": "rep_capacity", "unit": "minutes", "rep_id": f"r{number}"}
        limits.append(scope_limit(2 + 2 * number, "max", 40 * len(mine), mine, 30.0 * visits, **key))
        floor = int(0.8 * len(mine))
        limits.append(scope_limit(3 + 2 * number, "min", floor, mine, visits, "hcps", "soft", "coverage_floor", "hcps"))
    return make_problem(value, eligible, limits, most=most, settings=replace(SETTINGS, gap=gap))


# --- the search inside one HCP ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(60))
def test_best_and_forced_sets_at_any_prices_are_those_of_all_touch_vectors(seed):
    problem = random_instance(seed, SMALL)
    if not problem.eligible[problem.pins].all():
        return
    every, options = AllSets.of(problem), options_of(problem)
    everyone = np.arange(len(options))
    shared = build_shared(problem, Pool(everyone, every.least.astype(np.int16)).sets(every))
    rng = np.random.default_rng(seed)
    price = rng.random(shared.count) * rng.choice([0.0, 0.3, 1.0, 3.0], shared.count) / shared.scale
    priced = [each.value - each.use @ (shared.sign * price) for each in options]
    best, touches = every.best(shared, price)
    forced = every.forced(shared, price).reshape(every.values.shape)
    for hcp, (each, worth) in enumerate(zip(options, priced, strict=True)):
        assert best[hcp] == pytest.approx(worth.max(initial=-np.inf), abs=1e-9)
        for channel in range(every.values.shape[1]):
            holding = worth[each.touches[:, channel] > 0]
            assert forced[hcp, channel] == pytest.approx(holding.max(initial=-np.inf), abs=1e-9)
        if len(worth):
            place = np.flatnonzero((each.touches == touches[hcp]).all(axis=1))
            assert worth[place] == pytest.approx([best[hcp]], abs=1e-9)


@pytest.mark.parametrize("seed", range(60, 120))
def test_the_sets_above_a_threshold_are_all_of_them_and_no_other(seed):
    problem = random_instance(seed, SMALL)
    if not problem.eligible[problem.pins].all():
        return
    every, options = AllSets.of(problem), options_of(problem)
    shared = build_shared(problem, Pool(np.arange(len(options)), every.least.astype(np.int16)).sets(every))
    rng = np.random.default_rng(seed)
    price = rng.random(shared.count) / shared.scale
    threshold = every.best(shared, price)[0] - rng.choice([0.1, 0.7, 3.0]) - 1e-7
    wanted = set()
    for hcp, each in enumerate(options):
        near = each.touches[each.value - each.use @ (shared.sign * price) >= threshold[hcp]]
        wanted |= {(hcp, *row) for row in near.tolist()}
    owner, touches = every.above(shared, price, threshold, 100_000)
    assert sorted(wanted) == sorted((h, *row) for h, row in zip(owner.tolist(), touches.tolist(), strict=True))
    if wanted:
        assert every.above(shared, price, threshold, len(wanted) - 1) is None


def test_one_hcp_with_65_536_sets_against_all_of_them():
    problem = many_sets(1, channels=8)
    every = AllSets.of(problem)
    shared = build_shared(problem, Pool(np.arange(1), every.least.astype(np.int16)).sets(every))
    price = np.array([0.002, 0.1, 0.01, 0.3])
    vectors = np.array(list(itertools.product(*(range(int(n) + 1) for n in every.most[0]))), dtype=np.float64)
    value = every.values[0]
    worth = vectors @ value
    for a, b in itertools.combinations_with_replacement(range(8), 2):
        times = vectors[:, a] * (vectors[:, a] - 1) / 2 if a == b else vectors[:, a] * vectors[:, b]
        worth -= 0.1 * times * min(max(value[a], 0), max(value[b], 0))
    use = np.stack([vectors @ x.use if x.counts == "touches" else (vectors @ x.use > 0) * 1.0 for x in problem.limits], axis=1)
    worth -= use @ (np.array([1.0, 1.0, 1.0, -1.0]) * price)
    assert every.best(shared, price)[0] == pytest.approx([worth.max()])
    holding = [worth[vectors[:, c] > 0].max(initial=-np.inf) for c in range(8)]
    assert every.forced(shared, price) == pytest.approx(holding)


def test_a_pool_of_all_sets_is_the_list_of_the_envelope():
    problem = random_instance(8, Shape((1, 12), (1, 5), 4))
    wanted, every = listed.build_sets(problem), AllSets.of(problem)
    shared = build_shared(problem, wanted)
    owner, touches = every.above(shared, np.zeros(shared.count), np.full(wanted.hcp_count, -1e9), 100_000)
    shuffled = np.random.default_rng(0).permutation(len(owner))
    found = Pool.of(owner[shuffled], touches[shuffled]).sets(every)
    columns = np.arange(wanted.column_count)
    assert len(columns) > 20
    assert found.start.tolist() == wanted.start.tolist()
    assert found.touches[found.kind_of(columns)].tolist() == wanted.touches[wanted.kind_of(columns)].tolist()


# --- whole problems ---------------------------------------------------------------------------------------------------


def compared_seeds(seeds, shape, prices=True):
    """(problems that took the path, of which had a plan); each is compared with the references."""
    took = planned = 0
    for seed in seeds:
        problem = random_instance(seed, shape)
        place = f"seed {seed}"
        found = compare(problem, place)
        if found is None:
            continue
        if isinstance(found.solution, GeneratedSolution):
            took += 1
            if prices:
                _forced_is_over_all_sets(problem, found.solution, compare_prices(problem, found, place), place)
        planned += 1
    return took, planned


def _forced_is_over_all_sets(problem, solution, options, place):
    signs = np.array([1.0 if x.side == "max" else -1.0 for x in problem.limits])
    forced = solution.forced.reshape(len(options), -1)
    for hcp, each in enumerate(options):
        worth = each.value - each.use @ (signs * solution.price)
        assert solution.best[hcp] == pytest.approx(worth.max(), abs=1e-7), place
        for channel in range(forced.shape[1]):
            holding = worth[each.touches[:, channel] > 0]
            assert forced[hcp, channel] == pytest.approx(holding.max(initial=-np.inf), abs=1e-7), place


@pytest.mark.parametrize("seeds", [range(first, first + 40) for first in range(5000, 5120, 40)], ids=str)
def test_tiny_problems_against_the_reference(seeds, narrow):
    took, planned = compared_seeds(seeds, TINY)
    assert took >= 8 and planned >= 20


@pytest.mark.parametrize("seeds", [range(first, first + 20) for first in range(6000, 6060, 20)], ids=str)
def test_small_problems_against_the_reference(seeds, narrow):
    took, _ = compared_seeds(seeds, SMALL)
    assert took >= 8


def test_problems_of_some_dozen_hcps_against_the_reference(narrow):
    took, _ = compared_seeds(range(7000, 7004), MEDIUM, prices=False)
    assert took >= 2


@pytest.mark.parametrize("hcps", [60, 240])
def test_twelve_channels_of_three_touches_without_a_contact_limit(hcps):
    problem = many_sets(hcps)
    solution = solve(problem)
    assert isinstance(solution, GeneratedSolution)
    assert (solution.status, solution.gap <= 1e-4) == ("optimal", True)
    assert solution.sets.column_count < 100 * hcps  # of up to 16,777,216 sets each
    assert "generated" in solution.solver
    assert (solution.touches > 1).any()
    # the bound holds at its own prices, by a search of its own, and the plan is what it says
    assert solution.bound_at(solution.price) == pytest.approx(solution.price_bound, rel=1e-12)
    assert solution.objective - solution.penalty <= solution.upper_bound <= solution.price_bound
    assert np.all(solution.forced.reshape(hcps, -1) <= solution.best[:, None] + 1e-9)
    planned = solution.touches.reshape(hcps, -1) > 0
    assert np.isfinite(solution.forced.reshape(hcps, -1)[planned]).all()


def test_two_solves_give_the_same_answer_byte_for_byte():
    first, second = solve(many_sets(60, seed=4)), solve(many_sets(60, seed=4))
    for name in ("touches", "price", "best", "forced", "use"):
        assert getattr(first, name).tobytes() == getattr(second, name).tobytes()
    assert first.upper_bound == second.upper_bound


def test_a_warm_start_gives_a_plan_of_the_same_worth():
    problem = many_sets(60, seed=5)
    base = solve(problem)
    limits = [replace(problem.limits[0], bound=0.9 * problem.limits[0].bound), *problem.limits[1:]]
    cut = replace(problem, limits=limits)
    warm, cold = solve(cut, start=base), solve(cut)
    assert warm.price_bound == pytest.approx(cold.price_bound, rel=1e-9)
    assert warm.status == cold.status == "optimal"
    assert warm.objective - warm.penalty == pytest.approx(cold.objective - cold.penalty, rel=2e-4)
    # bounds at other bounds of a limit are bounds over all sets, not over the pool of the base
    bounds = np.array([limit.bound for limit in limits])
    assert base.bound_at(base.price, bounds) >= cold.price_bound - 1e-9
    everything = Pricing(base.sets, base.shared).best(np.zeros(base.shared.count))[0].sum()
    assert base.bound_at(np.zeros(base.shared.count), bounds) >= everything - 1e-9


# --- when it does not come out ----------------------------------------------------------------------------------------


def test_a_pool_that_may_not_grow_gives_an_honest_bound(narrow, monkeypatch):
    """Equal values everywhere and hardly any room: plans stay valid, bounds stay bounds."""
    monkeypatch.setattr(generated, "MOST_POOL", 3)
    monkeypatch.setattr(generated, "NEAR_PER_HCP", 0)
    monkeypatch.setattr(generated, "LAST_PER_HCP", 0)
    monkeypatch.setattr(generated, "FEW_HCPS_POOL", 0)
    unproven = 0
    for seed in range(40):
        problem = random_instance(seed, TINY)
        try:
            optimum = reference_solve(problem)
        except NoPlan:
            continue
        solution = solve(problem)
        total, best = solution.objective - solution.penalty, optimum.objective - optimum.penalty
        tolerance = 1e-7 * max(1.0, abs(best))
        assert total <= best + tolerance and solution.upper_bound >= best - tolerance
        assert check_plan(problem, solution.touches) == []
        assert (solution.status == "feasible") == (solution.gap > problem.settings.gap)
        unproven += solution.status == "feasible"
    assert unproven > 0


def test_limits_that_no_fraction_of_sets_keeps_are_a_conflict():
    everyone = np.arange(3)
    low = scope_limit(0, "min", 30, everyone, np.ones(8), unit="touches")
    high = scope_limit(1, "max", 29, everyone, np.ones(8))
    with pytest.raises(LimitsConflict):
        solve(make_problem(np.ones((3, 8)), limits=[low, high], most=3))
    assert solve(make_problem(np.ones((3, 8)), limits=[low], most=3)).touches.sum() == 30


def test_limits_that_only_fractions_keep_are_a_conflict():
    everyone = np.arange(2)
    limits = [scope_limit(n, side, 3, everyone, np.full(8, 2.0)) for n, side in enumerate(("min", "max"))]
    with pytest.raises(LimitsConflict):
        solve(make_problem(np.ones((2, 8)), limits=limits, most=3))


def test_a_plan_that_prices_do_not_ask_for_is_found():
    """Exactly 11 units in steps of 2 and 3: the touch of 3 is worth nothing at any price of z_LP, and no plan does without it."""
    value, use = np.array([[9.0, *[5.0] * 7]]), np.array([3.0, *[2.0] * 7])
    value[0, 0] = -50.0
    limits = [scope_limit(n, side, 11, [0], use) for n, side in enumerate(("min", "max"))]
    solution = solve(make_problem(value, limits=limits, most=3))
    assert isinstance(solution, GeneratedSolution)
    assert (solution.touches @ use, solution.touches[0], solution.touches.sum()) == (11, 1, 5)
    assert solution.upper_bound >= solution.objective


def test_pins_against_rules_inside_the_hcp_are_a_conflict():
    caps = [per_hcp_cap(2, 12, 2, scope=range(3))]
    assert solve(make_problem(np.ones((2, 12)), caps=caps, pins=[0, 1], most=3)).touches.reshape(2, 12)[0, :3].tolist() == [1, 1, 0]
    with pytest.raises(LimitsConflict):
        solve(make_problem(np.ones((2, 12)), caps=caps, pins=[0, 1, 2], most=3))
    with pytest.raises(LimitsConflict):
        solve(make_problem(np.ones((2, 12)), np.arange(24) > 0, pins=[0], most=3))
