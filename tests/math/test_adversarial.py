"""Shapes that break solvers: everything tight, everything equal, nothing there, sizes from 1e-9 to 1e9, floors at the edge, many sets."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from compared import compare, compare_prices
from every_plan import all_plans, options_of, penalty_of
from instances import SMALL, TINY, Shape, random_instance
from plan_cases import SETTINGS, limit, make_problem, never_both, per_hcp_cap, scope_limit

from optimization.checker import use_of
from optimization.prices import LimitsConflict
from optimization.problem import HcpCap
from optimization.reference import NoPlan, reference_solve
from optimization.solve import solve

EXACT = replace(SETTINGS, gap=1e-9, node_limit=1_000_000)


def held(problem, place="", prices=True):
    """The solution, compared with the reference; the problem must have a plan."""
    found = compare(problem, place)
    assert found is not None, f"{place}: no plan"
    if prices:
        compare_prices(problem, found, place)
    return found.solution


def total(problem):
    solution = solve(problem)
    return solution.objective - solution.penalty


@pytest.mark.parametrize("seeds", [range(first, first + 15) for first in range(30_000, 30_060, 15)], ids=str)
def test_all_rows_tight_at_the_optimum(seeds):
    """Every hard bound moved to what the best plan uses: it stays the best, and no row has room."""
    checked = 0
    for seed in seeds:
        problem = random_instance(seed, Shape((2, 10), (1, 4), 2))
        problem = replace(problem, settings=replace(problem.settings, floor_penalty=penalty_of(problem, options_of(problem))))
        try:
            best = reference_solve(problem)
        except NoPlan:
            continue
        limits = [x if x.hardness == "soft" else replace(x, bound=use_of(problem, x, best.touches)) for x in problem.limits]
        solution = held(replace(problem, limits=limits), f"seed {seed}")
        assert solution.objective - solution.penalty == pytest.approx(best.objective - best.penalty, rel=1e-7, abs=1e-7), f"seed {seed}"
        checked += 1
    assert checked >= 8


@pytest.mark.parametrize("seeds", [range(first, first + 20) for first in range(31_000, 31_080, 20)], ids=str)
def test_one_hcp(seeds):
    for seed in seeds:
        problem = random_instance(seed, Shape((1, 1), (1, 5), 4))
        found = compare(problem, f"seed {seed}")
        if found is not None:
            compare_prices(problem, found, f"seed {seed}")


@pytest.mark.parametrize("seeds", [range(first, first + 20) for first in range(32_000, 32_060, 20)], ids=str)
def test_one_channel(seeds):
    for seed in seeds:
        problem = random_instance(seed, Shape((2, 15), (1, 1), 6))
        found = compare(problem, f"seed {seed}")
        if found is not None:
            compare_prices(problem, found, f"seed {seed}")


def test_one_rep_with_little_time():
    rng = np.random.default_rng(1)
    minutes = rng.integers(10, 50, (25, 2)).astype(float)
    limits = [scope_limit(0, "max", 400, range(25), minutes, rule="rep_capacity", unit="minutes")]
    limits.append(scope_limit(1, "min", 9, range(25), [1, 1], "hcps", "hard", "coverage_floor", "hcps"))
    held(make_problem(rng.gamma(2.0, 1.0, (25, 2)), limits=limits, most=[2, 1], rep=np.zeros(25), settings=EXACT))


@pytest.mark.parametrize("cost", [[1.0, 2.0], [0.0, 2.0], [0.0, 0.0]])
def test_zero_budget_leaves_what_is_free(cost):
    problem = make_problem(np.full((6, 2), 2.0), limits=[scope_limit(0, "max", 0, range(6), cost)], most=2, settings=EXACT)
    solution = held(problem)
    assert (solution.touches.reshape(6, 2).sum(axis=0) > 0).tolist() == [price == 0 for price in cost]


@pytest.mark.parametrize("hardness", ["soft", "hard"])
def test_no_eligible_pair(hardness):
    floor = limit(0, "min", 2, range(8), None, "hcps", hardness, "coverage_floor", "hcps")
    budget = limit(1, "max", 5, range(8))
    settings = replace(EXACT, floor_penalty=4.0)
    problem = make_problem(np.ones((4, 2)), eligible=np.zeros(8), limits=[floor, budget], settings=settings)
    if hardness == "hard":
        with pytest.raises(LimitsConflict):
            solve(problem)
        return
    solution = solve(problem)
    assert (solution.objective, solution.penalty, solution.upper_bound, solution.gap) == (0.0, 8.0, pytest.approx(-8.0), pytest.approx(0.0))
    assert not solution.touches.any()
    assert solution.missing.tolist() == [2.0, 0.0]


@pytest.mark.parametrize("overlap", [0.0, 0.5])
@pytest.mark.parametrize("most", [1, 3])
def test_equal_values_everywhere(overlap, most):
    """40 HCPs x 3 channels, all the same: a plan among astronomically many equal ones, proven."""
    limits = [scope_limit(0, "max", 37, range(40), [1, 1, 1]), scope_limit(1, "max", 11, range(40), [1, 0, 0], unit="touches")]
    limits += [scope_limit(2 + r, "max", 6.5, range(r * 10, r * 10 + 10), [1.5, 1, 0], unit="minutes") for r in range(4)]
    settings = replace(EXACT, overlap=overlap)
    problem = make_problem(np.ones((40, 3)), limits=limits, most=most, rep=np.arange(40) // 10, settings=settings)
    held(problem, prices=most == 1)


@pytest.mark.parametrize(("floor", "hardness", "missing"), [(10, "hard", 0), (11, "hard", None), (11, "soft", 1), (14, "soft", 4)])
def test_floors_that_just_fit_and_one_above(floor, hardness, missing):
    """Money for ten visits of 1 among 14 HCPs."""
    key = ("hcps", hardness, "coverage_floor", "hcps")
    limits = [scope_limit(0, "max", 10, range(14), [1.0, 3.0]), scope_limit(1, "min", floor, range(14), [1, 1], *key)]
    value = np.stack([np.full(14, -0.5), np.linspace(4, 9, 14)], axis=1)
    problem = make_problem(value, limits=limits, settings=replace(EXACT, floor_penalty=20.0))
    if missing is None:
        assert compare(problem, "floor of 11") is None
        return
    solution = held(problem)
    assert (solution.missing[1], solution.penalty) == (missing, 20.0 * missing)
    assert np.count_nonzero(solution.touches.reshape(14, 2).any(axis=1)) == 10


@pytest.mark.parametrize(("value_power", "use_power"), [(9, 0), (-9, 0), (0, 9), (0, -9), (9, -9), (-9, 9), (6, 6)])
def test_units_of_value_and_use_change_nothing(value_power, use_power):
    solved = 0
    for seed in range(33_000, 33_020):
        problem = random_instance(seed, TINY)
        plain = replace(problem, settings=replace(problem.settings, floor_penalty=penalty_of(problem, options_of(problem))))
        plans = all_plans(plain)
        up, size = 10.0**value_power, 10.0**use_power
        limits = [
            x if x.counts == "hcps" or x.unit == "touches" else replace(x, bound=x.bound * size, use=x.use * size) for x in plain.limits
        ]
        settings = replace(plain.settings, floor_penalty=plain.settings.floor_penalty * up)
        scaled = replace(plain, value=plain.value * up, limits=limits, settings=settings)
        if len(plans.total) == 0:
            with pytest.raises(LimitsConflict):
                solve(scaled)
            continue
        best = float(plans.total.max())
        assert total(scaled) / up == pytest.approx(best, rel=1e-7, abs=1e-7), f"seed {seed}"
        solved += 1
    assert solved >= 10


def test_sizes_far_apart_in_one_problem():
    """Uses from 1e-9 to 1e9 in one limit, values from 1e-3 to 1e6 in one objective, against every plan
    (between those that keep the limit to the last digit and those within the tolerance)."""
    solved = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        use = 10.0 ** rng.integers(-9, 10, (3, 3)) * rng.integers(1, 9, (3, 3))
        value = 10.0 ** rng.integers(-3, 7, (3, 3)) * rng.integers(1, 9, (3, 3))
        bound = float(rng.choice(use.ravel(), 2, replace=False).sum())
        limits = [scope_limit(0, "max", bound, range(3), use), scope_limit(1, "max", 4, range(3), [1, 1, 1], unit="touches")]
        problem = make_problem(value, limits=limits, most=[1, 2, 1], settings=EXACT)
        strict, loose = (float(all_plans(problem, tolerance).total.max()) for tolerance in (1e-12, 1e-6))
        solution = solve(problem)
        assert strict * (1 - 1e-9) <= solution.objective <= loose * (1 + 1e-9), f"seed {seed}"
        assert solution.upper_bound >= strict * (1 - 1e-9), f"seed {seed}"
        solved += 1
    assert solved == 60


def far_apart(seed):
    """Coefficients, values and bounds drawn evenly in their logarithm: limits of both sides, one use for all or each HCP its own."""
    rng = np.random.default_rng([seed, 41])
    hcps, channels = int(rng.integers(2, 5)), int(rng.integers(2, 4))
    most = rng.integers(1, 3, channels) if hcps < 4 else np.ones(channels)
    low, high = -rng.uniform(0, 9), rng.uniform(0, 9)
    limits = []
    for number in range(int(rng.integers(1, 4))):
        use = 10.0 ** rng.uniform(low, high, (hcps, channels) if rng.random() < 0.7 else channels)
        use = np.where(rng.random(use.shape) < 0.2, 0.0, use)
        wide = np.broadcast_to(use, (hcps, channels))
        plan = rng.integers(0, most + 1, (hcps, channels)) * (rng.random((hcps, channels)) < 0.5)
        side = "min" if rng.random() < 0.25 else "max"
        # exactly what one plan uses, or next to it by any order of magnitude, on the side that leaves that plan in
        nudge = 0.0 if rng.random() < 0.5 else 10.0 ** rng.uniform(-12, -1)
        bound = float((plan * wide).sum()) * (1 + nudge if side == "max" else 1 - nudge)
        limits.append(scope_limit(number, side, bound, range(hcps), use))
    limits.append(scope_limit(len(limits), "max", hcps + 1, range(hcps), np.ones(channels), unit="touches"))
    value = 10.0 ** rng.uniform(-3, 6, (hcps, channels)) * np.where(rng.random((hcps, channels)) < 0.1, -1, 1)
    return make_problem(value, limits=limits, most=most, settings=replace(EXACT, overlap=float(rng.choice([0.0, 0.25]))))


@pytest.mark.parametrize("seeds", [range(first, first + 50) for first in range(0, 200, 50)], ids=str)
def test_coefficients_of_every_order_of_magnitude(seeds):
    """Never a bound below a plan that keeps every limit, never a plan beyond the contract's tolerance, against every plan."""
    solved = 0
    for seed in seeds:
        problem = far_apart(seed)
        strict, within = (all_plans(problem, tolerance).total for tolerance in (1e-12, 1e-6))
        try:
            solution = solve(problem)
        except LimitsConflict:
            assert len(strict) == 0, f"seed {seed}: a conflict, and a plan of {strict.max()}"
            continue
        size = 1e-8 * max(abs(float(within.max())), float(np.abs(problem.value).max()))
        found = solution.objective - solution.penalty
        assert found <= within.max() + size, f"seed {seed}"
        if len(strict):
            assert solution.upper_bound >= strict.max() - size, f"seed {seed}: bound {solution.upper_bound} below {strict.max()}"
            assert solution.price_bound >= strict.max() - size, f"seed {seed}"
            assert found >= strict.max() - size, f"seed {seed}: {found} is below {strict.max()}"
        assert solution.status == "optimal", f"seed {seed}"
        solved += 1
    assert solved >= len(seeds) // 2


def test_only_losses_with_minima_on_everything():
    rng = np.random.default_rng(4)
    limits = [scope_limit(c, "min", 4 + c, range(12), np.arange(3) == c, rule="channel_capacity", unit="touches") for c in range(3)]
    limits.append(scope_limit(3, "min", 11, range(12), [1, 1, 1], "hcps", "hard", "coverage_floor", "hcps"))
    limits.append(scope_limit(4, "max", 17, range(12), [1, 1, 1], unit="touches"))
    problem = make_problem(-rng.gamma(2.0, 1.0, (12, 3)), limits=limits, most=[1, 2, 2], settings=EXACT)
    solution = held(problem)
    assert solution.objective < 0 and solution.touches.sum() == 15


def test_minimum_and_maximum_the_same():
    rng = np.random.default_rng(5)
    limits = [scope_limit(0, side, 9, range(10), [1, 0], unit="touches") for side in ("min", "max")]
    limits += [scope_limit(2 + k, side, 23.0, range(10), [2.0, 1.0]) for k, side in enumerate(("min", "max"))]
    problem = make_problem(rng.normal(0, 1, (10, 2)), limits=limits, most=2, settings=EXACT)
    solution = held(problem)
    assert solution.touches.reshape(10, 2).sum(axis=0).tolist() == [9, 5]


@pytest.mark.parametrize("upper", [1, 3])
def test_twelve_channels_with_a_contact_limit(upper):
    rng = np.random.default_rng(6)
    limits = [scope_limit(0, "max", 25, range(4), rng.integers(1, 9, 12))]
    limits += [scope_limit(1 + c, "max", 1, range(4), np.arange(12) == c, unit="touches") for c in range(12)]
    caps = [per_hcp_cap(4, 12, upper)]
    held(make_problem(rng.gamma(2.0, 1.0, (4, 12)), limits=limits, caps=caps, most=rng.integers(1, 3, 12), settings=EXACT))


@pytest.mark.parametrize("overlap", [0.0, 0.02, 0.5])
def test_many_touches(overlap):
    rng = np.random.default_rng(7)
    limits = [scope_limit(0, "max", 55.5, range(6), [1.0, 1.5])]
    limits.append(scope_limit(1, "min", 20, range(6), [0, 1], unit="touches"))
    settings = replace(EXACT, overlap=overlap)
    problem = make_problem(rng.gamma(3.0, 1.0, (6, 2)), limits=limits, most=[12, 20], settings=settings)
    held(problem, prices=True)


def test_caps_over_touches_of_some_channels():
    cap = HcpCap("contact_limit", "mixed", np.array([3, 0, 1, 4]), np.array([1, 0, 0, 1]), np.array([3, 0]))
    problem = make_problem([[3.0, 2.9, 1.0], [3.0, 2.9, 1.0]], caps=[cap], most=4, settings=replace(EXACT, overlap=0.0))
    assert held(problem).touches.tolist() == [3, 0, 4, 0, 0, 4]


def test_more_than_four_thousand_sets_of_one_hcp():
    rng = np.random.default_rng(9)
    value = rng.gamma(2.0, 1.0, (3, 12)) - 0.5
    limits = [scope_limit(0, "max", 30, range(3), rng.integers(1, 9, 12)), scope_limit(1, "max", 12, range(3), np.ones(12), unit="touches")]
    eligible = np.ones((3, 12), dtype=bool)
    eligible[1:, 4:] = False
    problem = make_problem(value, eligible, limits, most=[2, *[1] * 11], settings=EXACT)
    compared = compare(problem, "6144 sets")
    assert compared is not None


def test_limits_stated_twice_and_limits_that_nobody_uses():
    rng = np.random.default_rng(10)
    once = [scope_limit(0, "max", 13, range(8), [2.0, 3.0]), scope_limit(1, "min", 3, range(8), [0, 1], unit="touches")]
    idle = [scope_limit(2, "max", 0, range(8), [0, 0]), scope_limit(3, "max", 5, [], [1, 1]), scope_limit(4, "min", 0, [], [1, 1])]
    value = rng.normal(1, 1, (8, 2))
    plain = held(make_problem(value, limits=once, settings=EXACT))
    crowded = held(make_problem(value, limits=[*idle, *once, *once], settings=EXACT))
    assert crowded.objective == pytest.approx(plain.objective)
    assert np.asarray(crowded.price)[:3].tolist() == [0.0, 0.0, 0.0]


def test_pins_that_fill_a_limit_and_pins_beyond_it():
    limits = [scope_limit(0, "max", 3, range(5), [1, 1])]
    value = np.array([[1.0, 5.0]] * 5)
    assert held(make_problem(value, limits=limits, pins=[0, 2, 4], settings=EXACT)).touches.sum() == 3
    assert compare(make_problem(value, limits=limits, pins=[0, 2, 4, 6], settings=EXACT), "four pins for three") is None
    assert compare(make_problem(value, exclusive=[never_both(5, 2, 0, 1)], pins=[0, 1], settings=EXACT), "clashing pins") is None
    assert compare(make_problem(value, caps=[per_hcp_cap(5, 2, 0)], pins=[0], settings=EXACT), "a pin under a cap of 0") is None


def test_whole_touches_cannot_meet_what_fractions_can():
    """Two equalities that only half touches satisfy: no continuous conflict, and still no plan."""
    limits = [scope_limit(k, side, 3, range(4), [2, 2]) for k, side in enumerate(("min", "max"))]
    assert compare(make_problem(np.ones((4, 2)), limits=limits, settings=EXACT), "2 x = 3") is None


@pytest.mark.parametrize("seed", range(34_000, 34_030))
def test_order_of_hcps_and_limits_changes_no_total(seed):
    problem = random_instance(seed, TINY)
    hcps, channels = len(problem.hcp_ids), len(problem.channels)
    turn = (np.arange(hcps)[::-1][:, None] * channels + np.arange(channels)).ravel()

    def turned(x):
        return replace(x, hcps=np.sort(hcps - 1 - x.hcps).astype(np.int32), use=x.use if x.use.ndim == 1 else x.use[::-1])

    settings = replace(problem.settings, floor_penalty=penalty_of(problem, options_of(problem)))
    problem = replace(problem, settings=settings)
    mirrored = replace(
        problem,
        value=problem.value[turn],
        eligible=problem.eligible[turn],
        earliest=problem.earliest[turn],
        latest=problem.latest[turn],
        blocked_by=problem.blocked_by[turn],
        rep=problem.rep[::-1],
        territory=problem.territory[::-1],
        limits=[turned(x) for x in problem.limits[::-1]],
        caps=[replace(x, pairs=turn[x.pairs]) for x in problem.caps],
        exclusive=[replace(x, members=turn[x.members]) for x in problem.exclusive],
        pins=np.sort(turn[problem.pins]) if len(problem.pins) else problem.pins,
    )
    try:
        here = total(problem)
    except LimitsConflict:
        with pytest.raises(LimitsConflict):
            solve(mirrored)
        return
    assert total(mirrored) == pytest.approx(here, rel=1e-7, abs=1e-7)


@pytest.mark.parametrize("seed", range(35_000, 35_010))
def test_the_same_problem_twice_is_the_same_to_the_last_bit(seed):
    problem = random_instance(seed, SMALL)
    try:
        first = solve(problem)
    except LimitsConflict:
        return
    second = solve(problem)
    assert np.array_equal(first.touches, second.touches)
    assert np.array_equal(first.price, second.price)
    assert (first.objective, first.upper_bound, first.price_bound) == (second.objective, second.upper_bound, second.price_bound)
