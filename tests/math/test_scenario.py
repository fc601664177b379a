"""Scenarios: what they change, what they refuse, and thresholds, curves and comparisons against brute force on small problems."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from every_plan import all_plans
from plan_cases import brute_force, default_penalty, limit, make_problem, random_problem, rep_bound_problem

from optimization.checker import check_plan
from optimization.prices import LimitsConflict, solve_prices
from optimization.scenario import LimitChange, NewLimit, Scenario, ScenarioError, apply, force
from optimization.scenario_compare import compare
from optimization.scenario_curve import FEW, budget_curve, with_bound
from optimization.scenario_forced import forced_threshold
from optimization.solve import solve

EXACT = 1e-12


def exactly(problem):
    """The problem solved to the end, at a penalty of a missed floor that no change of values or pins moves."""
    return replace(problem, settings=replace(problem.settings, gap=EXACT, floor_penalty=default_penalty(problem)))


def two_by_two(**given):
    """Two HCPs, channels c0 (cost 3) and c1 (cost 1), a total budget of 4, a floor of two HCPs on c0."""
    pairs = np.arange(4)
    budget = limit(0, "max", 4, pairs, [3.0, 1.0, 3.0, 1.0], unit="cost")
    floor = limit(1, "min", 2, [0, 2], None, "hcps", "soft", "coverage_floor", "hcps", requested=3.0, reachable=2.0, territory_id="T0")
    return make_problem([[5.0, 2.0], [4.0, 1.0]], limits=[budget, floor], cost=[3.0, 1.0], **given)


@pytest.mark.parametrize(
    ("how", "amount", "bound"), [("set", 10.0, 10.0), ("add", 1.5, 5.5), ("add", -4.0, 0.0), ("multiply", 1.1, 4.4), ("multiply", 0.0, 0.0)]
)
def test_a_bound_is_set_added_to_or_multiplied(how, amount, bound):
    problem = two_by_two()
    changed = apply(problem, Scenario([LimitChange({"rule": "rule_budget", "side": "max"}, how, amount)]))
    assert changed.limits[0].bound == pytest.approx(bound)
    assert (problem.limits[0].bound, changed.limits[1]) == (4.0, problem.limits[1])


def test_changes_follow_each_other_and_reach_every_limit_of_the_choice():
    problem = two_by_two()
    twice = [LimitChange({"rule": "budget"}, "multiply", 2.0), LimitChange({"unit": "cost", "territory_id": None}, "add", 1.0)]
    assert apply(problem, Scenario(twice)).limits[0].bound == 9.0
    problem = replace(problem, limits=[*problem.limits, replace(problem.limits[0], limit_id="other", channel="c1")])
    assert [x.bound for x in apply(problem, Scenario(twice[:1])).limits] == [8.0, 2.0, 8.0]
    only = LimitChange({"rule": "budget", "channel": None}, "set", 1.0)
    assert [x.bound for x in apply(problem, Scenario([only])).limits] == [1.0, 2.0, 4.0]


def test_a_floor_is_asked_for_and_cut_to_what_is_reachable_unless_hard():
    problem, key = two_by_two(), {"rule": "coverage_floor"}
    softer = apply(problem, Scenario([LimitChange(key, "set", 1.0)])).limits[1]
    assert (softer.requested, softer.bound, softer.reachable) == (1.0, 1.0, 2.0)
    hard = apply(problem, Scenario([LimitChange(key, hardness="hard")])).limits[1]
    assert (hard.requested, hard.bound, hard.hardness) == (3.0, 3.0, "hard")
    forbidden = apply(problem, Scenario(forbidden=[("h000001", "c0")])).limits[1]
    assert (forbidden.requested, forbidden.bound, forbidden.reachable) == (3.0, 1.0, 1.0)


def test_a_new_limit_holds_what_it_says():
    problem = make_problem([[5.0, 2.0], [4.0, 1.0], [3.0, 3.0]], cost=[3.0, 1.0], rep=[0, 0, 1])
    assert solve(apply(problem, Scenario())).objective == pytest.approx(18.0 - 0.1 * (2.0 + 1.0 + 3.0))
    total = apply(problem, Scenario(new_limits=[NewLimit(4.0)]))
    assert solve(total).objective == pytest.approx(max(5.0 + 2.0 - 0.2, 5.0 + 3.0, 5.0 + 1.0))
    one_rep = apply(problem, Scenario(new_limits=[NewLimit(1.0, unit="touches", rep_id="r0", channel="c0")]))
    assert solve(one_rep).objective == pytest.approx(5.0 + 2.0 - 0.2 + 1.0 + 3.0 + 3.0 - 0.3)
    twins = apply(problem, Scenario(new_limits=[NewLimit(4.0), NewLimit(5.0)]))
    assert len({x.limit_id for x in twins.limits}) == 2


def test_forced_and_forbidden_pairs_are_kept():
    problem = exactly(two_by_two())
    solution = solve(apply(problem, Scenario(forced=[("h000001", "c0")], forbidden=[("h000000", "c1")])))
    assert solution.touches.tolist() == [0, 0, 1, 1]
    assert check_plan(problem, solution.touches) == []


@pytest.mark.parametrize(
    ("scenario", "message"),
    [
        (Scenario(forced=[("h00001", "c0")]), "hcp_id h00001: no such HCP in this run; near: h000001, h000000"),
        (Scenario(forced=[("h000001", "c9")]), "channel c9: no such channel; there are c0, c1"),
        (Scenario(forced=[("h000001", "c1")]), "h000001 by c1 cannot be forced: blocked by exclusion"),
        (Scenario(forbidden=[("h000000", "c0")]), "h000000 by c0 cannot be forbidden: it is pinned by an override"),
        (Scenario([LimitChange({"limit_id": "limit00"}, "set", 1.0)]), "no limit has limit_id limit00; near: limit001, limit000"),
        (
            Scenario([LimitChange({"rule": "rule_budget", "channel": "c1"}, "set", 1.0)]),
            "no limit has rule rule_budget, channel c1; near: limit 0 (limit000)",
        ),
        (
            Scenario([LimitChange({"rule": "rep_capacity"}, "add", 1.0)]),
            "no limit has rule rep_capacity; rules with limits here: budget, coverage_floor",
        ),
        (Scenario([LimitChange({"rule": "budget"}, "add", -5.0)]), "limit limit 0: the new bound -1 must be a finite number >= 0"),
        (Scenario([LimitChange({"rule": "budget"}, hardness="soft")]), "limit limit 0: only coverage floors can be made soft or hard"),
        (Scenario(new_limits=[NewLimit(4.0, territory_id="T1")]), "new limit: there is no T1 in this run; near: T0"),
        (Scenario(new_limits=[NewLimit(4.0, channel="c2")]), "channel c2: no such channel; there are c0, c1"),
    ],
)
def test_what_the_problem_does_not_know_is_named(scenario, message):
    problem = two_by_two(eligible=[True, True, True, False], pins=[0])
    with pytest.raises(ScenarioError) as raised:
        apply(problem, scenario)
    assert str(raised.value) == message


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LimitChange({"colour": "red"}, "set", 1.0), "limit: colour is no key of a limit; keys are"),
        (lambda: LimitChange({}, "set", 1.0), "limit: nothing is no key of a limit"),
        (lambda: LimitChange({"rule": "budget"}), "limit rule budget: give a new bound or a new hardness"),
        (lambda: LimitChange({"rule": "budget"}, "double", 1.0), "limit rule budget: how 'double' must be one of set, add, multiply"),
        (lambda: LimitChange({"rule": "budget"}, "set", float("nan")), "limit rule budget: amount nan must be a finite number"),
        (lambda: LimitChange({"rule": "budget"}, hardness="firm"), "limit rule budget: hardness 'firm' must be soft or hard"),
        (lambda: NewLimit(-1.0), "new limit: bound -1 must be a finite number >= 0"),
        (lambda: NewLimit(1.0, unit="hcps"), "new limit: side 'max' must be max or min, unit 'hcps' one of cost, minutes, touches"),
        (lambda: Scenario(forced=[("h1",)]), "forced: ('h1',) must be an hcp_id and a channel"),
        (lambda: Scenario(forced=[("h1", "a")], forbidden=[("h1", "a")]), "forced: h1 by a is forbidden by the same scenario"),
    ],
)
def test_scenarios_validate_themselves(make, message):
    with pytest.raises(ScenarioError) as raised:
        make()
    assert str(raised.value).startswith(message)


def small_cases(seeds):
    """Random problems that have a plan, with every pair worth asking about."""
    for seed in seeds:
        problem = exactly(random_problem(seed))
        if brute_force(problem)[0] is not None:
            yield problem


def test_the_threshold_of_a_forced_pair_equals_brute_force():
    positive, impossible = 0, 0
    for problem in small_cases(range(8)):
        (best, _), free = brute_force(problem), solve(problem)
        for pair in np.flatnonzero(problem.eligible).tolist():
            held, _ = brute_force(force(problem, [pair]))
            found = forced_threshold(problem, pair, EXACT, free)
            if held is None:
                assert found.low == found.high == np.inf
                impossible += 1
                continue
            assert found.is_exact
            assert found.low == pytest.approx(best - held, rel=1e-9, abs=1e-9 * max(1.0, abs(best)))
            assert found.high == pytest.approx(best - held, rel=1e-9, abs=1e-9 * max(1.0, abs(best)))
            assert found.guarantee <= found.high + 1e-9
            positive += best - held > 1e-6
    assert positive > 15
    assert impossible > 0


def test_raising_the_value_past_the_threshold_puts_the_pair_into_the_plan():
    """One touch per pair and no overlap, so that a rise of the pair's value is a rise of every plan that holds it."""
    checked = 0
    for problem in small_cases(range(8)):
        problem = replace(problem, settings=replace(problem.settings, overlap=0.0))
        free = solve(problem)
        for pair in np.flatnonzero(problem.eligible).tolist():
            threshold = forced_threshold(problem, pair, EXACT, free)
            if not 1e-6 < threshold.high < np.inf:
                continue
            for step, enters in ((1e-5, True), (-1e-5, False)):
                value = problem.value.copy()
                value[pair] += threshold.high + step
                assert (pair in brute_force(replace(problem, value=value))[1]) == enters
            checked += 1
    assert checked > 10


def test_a_rise_below_the_guarantee_puts_the_pair_in_no_optimal_plan():
    useful = 0
    for problem in small_cases(range(8)):
        problem = replace(problem, settings=replace(problem.settings, overlap=0.0))
        free = solve(problem)
        for pair in np.flatnonzero(problem.eligible).tolist():
            found = forced_threshold(problem, pair, EXACT, free)
            if found.guarantee > 1e-6:
                value = problem.value.copy()
                value[pair] += found.guarantee - 1e-6
                assert pair not in brute_force(replace(problem, value=value))[1]
                useful += 1
    assert useful > 5


def test_the_threshold_counts_all_touches_of_the_pair_together():
    """Up to two touches: against every plan, and past the threshold a rise of all touches together makes a plan with the pair best."""
    checked = 0
    for seed in range(6):
        problem = random_problem(seed, max_hcps=4, max_channels=2)
        problem = exactly(replace(problem, most_touches=np.array([2, 1], dtype=np.int64)))
        plans = all_plans(problem)
        if not len(plans.total):
            continue
        free = solve(problem)
        for pair in np.flatnonzero(problem.eligible).tolist():
            holding = plans.holding(*divmod(pair, len(problem.channels)))
            if holding.any():
                threshold = plans.total.max() - plans.total[holding].max()
                assert forced_threshold(problem, pair, EXACT, free).high == pytest.approx(threshold, rel=1e-9, abs=1e-9)
                checked += threshold > 1e-6
    assert checked >= 5


def test_an_interval_holds_the_threshold_when_plans_are_not_solved_to_the_end():
    problem = exactly(two_by_two())
    exact = forced_threshold(problem, 2, EXACT)
    assert exact.is_exact
    rough = forced_threshold(problem, 2, 0.5)
    assert rough.low <= exact.low <= rough.high


def test_the_curve_bounds_every_budget_from_above_and_touches_where_prices_are_optimal():
    touched, conflicts = 0, 0
    for problem in small_cases(range(6)):
        if not problem.limits:
            continue
        base = solve(problem)
        for number, x in enumerate(problem.limits):
            if x.hardness == "soft":
                continue
            bounds = np.linspace(0.0, 2.0 * x.bound + 3.0, 6)
            curve = budget_curve(problem, base, number, bounds, loose=1e-9)
            for bound, upper in zip(curve.bound, curve.upper_bound, strict=True):
                there = with_bound(problem, number, bound)
                best, _ = brute_force(there)
                if np.isnan(upper):
                    assert best is None
                    conflicts += 1
                    continue
                assert best is None or upper >= best - 1e-9 * max(1.0, abs(best))
                try:
                    least = solve(there).price_bound
                except LimitsConflict:
                    continue
                assert upper <= least + 1e-6 * max(1.0, abs(least))
                touched += 1
    assert touched > 25
    assert conflicts > 0


def test_the_curve_is_concave_and_rises_with_an_upper_limit():
    problem = exactly(random_problem(5, max_hcps=6))
    number = next(n for n, x in enumerate(problem.limits) if x.side == "max")
    curve = budget_curve(problem, solve(problem), number, np.linspace(0.0, 60.0, 25))
    rise = np.diff(curve.upper_bound)
    assert (rise >= -1e-9).all()
    assert (np.diff(rise) <= 1e-9).all()
    assert (curve.price >= 0).all()
    assert curve.vectors < 25
    with pytest.raises(ScenarioError, match=r"the bounds of a curve must be finite numbers >= 0"):
        budget_curve(problem, solve(problem), number, [-1.0, 2.0])


def test_lines_of_held_prices_bound_a_larger_problem_tightly():
    problem = rep_bound_problem(300)
    base = solve(problem)
    assert base.sets.column_count > FEW
    number = next(n for n, x in enumerate(problem.limits) if x.rule == "budget" and x.channel is None)
    curve = budget_curve(problem, base, number, np.linspace(0.5, 1.0, 11) * base.use[number])
    assert curve.vectors < 40
    for place in (0, 3, 6, 10):
        bounds = base.shared.bound.copy()
        bounds[number] = curve.bound[place]
        ceiling = np.where(base.shared.soft, base.floor_penalty, np.inf)
        exact = solve_prices(base.sets, replace(base.shared, bound=bounds), ceiling).bound
        assert exact - 1e-9 * abs(exact) <= curve.upper_bound[place] <= exact + 3e-4 * abs(exact)


def test_plans_on_the_curve_are_below_their_bound_and_as_good_as_brute_force():
    problem = exactly(two_by_two())
    base = solve(problem)
    curve = budget_curve(problem, base, 0, range(0, 9, 2), plans_at=range(5))
    for bound, total, upper, gap in zip(curve.bound, curve.total, curve.upper_bound, curve.gap, strict=True):
        assert total == pytest.approx(brute_force(with_bound(problem, 0, bound))[0])
        assert upper >= total - 1e-9
        assert gap == pytest.approx(max(0.0, upper - total) / max(abs(total), 1e-9))


def test_a_comparison_counts_what_comes_and_goes_and_which_limits_bind():
    problem = exactly(two_by_two())
    scenario = Scenario([LimitChange({"rule": "budget"}, "set", 8.0)])
    after = apply(problem, scenario)
    base, other = solve(problem), solve(after)
    assert (base.touches.tolist(), other.touches.tolist()) == ([1, 1, 0, 0], [1, 1, 1, 1])
    found = compare(problem, base, after, other)
    assert found.number("actions", "change") == 2
    assert found.number("cost") == 8.0
    assert found.gain_low <= (other.objective - other.penalty) - (base.objective - base.penalty) <= found.gain_high
    moves = found.moves.set_index(["channel", "territory_id"])
    assert moves.loc[("all", "all"), ["before", "after", "gained", "lost", "changed"]].tolist() == [2, 4, 2, 0, 0]
    assert moves.loc[("c0", "T0"), ["before", "after", "cost_before", "cost_after"]].tolist() == [1, 2, 3.0, 6.0]
    assert found.actions["move"].tolist() == ["kept", "kept", "gained", "gained"]
    turns = found.limits.set_index("limit_id")["turn"]
    assert turns["limit000"] == ("no longer binding" if base.price[0] > 0 else "")
    assert found.limits.loc[0, ["limit_before", "limit_after", "used_before", "used_after"]].tolist() == [4.0, 8.0, 4.0, 8.0]
