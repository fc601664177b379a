"""Why a pair is not planned: value_short recomputed from its definition, kinds in their order, shares of price, several touches."""

from __future__ import annotations

import itertools
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from plan_cases import SETTINGS, limit, make_problem, never_both, per_hcp_cap, random_problem, scope_limit, set_value, use_by_pair

from optimization.prices import LimitsConflict
from optimization.problem import NotTogether
from optimization.reasons import KINDS, NOTHING, explain, price_cost
from optimization.solve import solve


def allowed_plans(problem, hcp):
    """Every allowed tuple of touches of one HCP, pins kept, straight from the definitions."""
    channels = len(problem.channels)
    pairs = np.arange(hcp * channels, (hcp + 1) * channels)
    most = [int(n) if problem.eligible[p] else 0 for p, n in zip(pairs, problem.most_touches, strict=True)]
    for plan in itertools.product(*(range(n + 1) for n in most)):
        touches = dict(zip(pairs.tolist(), plan, strict=True))
        if any(touches.get(int(p)) == 0 for p in problem.pins):
            continue
        full = any(
            sum(touches.get(p, 0) for p, g in zip(cap.pairs.tolist(), cap.group, strict=True) if g == group) > upper
            for cap in problem.caps
            for group, upper in enumerate(cap.upper)
        )
        together = any(
            all(touches.get(p, 0) >= n for p, n in zip(row.tolist(), x.least or [1] * len(row), strict=True))
            for x in problem.exclusive
            for row in x.members
        )
        if not full and not together:
            yield touches


def priced_value(problem, price, touches):
    members = [p for p, n in touches.items() for _ in range(n)]
    total = set_value(problem, members)
    for x, y in zip(problem.limits, price, strict=True):
        table = use_by_pair(problem, x)
        use = sum(table.get(p, 0.0) for p in members) if x.counts == "touches" else float(any(p in table for p in members))
        total -= (1 if x.side == "max" else -1) * y * use
    return total


def solved_cases(seeds, most=1, **changes):
    for seed in seeds:
        problem = random_problem(seed, max_hcps=6 if most == 1 else 4)
        several = np.random.default_rng(seed).integers(1, most + 1, len(problem.channels))
        problem = replace(problem, most_touches=several)
        problem = replace(problem, settings=replace(problem.settings, **changes))
        try:
            yield problem, solve(problem)
        except LimitsConflict:
            continue


def said(reasons, pair):
    """(kind, rule) in words, None where nothing is said."""
    kind, rule = int(reasons.kind[pair]), int(reasons.rule[pair])
    return None if kind == NOTHING else KINDS[kind], None if rule == NOTHING else reasons.rules[rule]


@pytest.mark.parametrize("most", [1, 3])
def test_value_short_is_its_definition(most):
    kinds = set()
    for problem, solution in solved_cases(range(60), most):
        reasons, price, channels = explain(problem, solution), solution.price, len(problem.channels)
        for hcp in range(len(problem.hcp_ids)):
            values = [(plan, priced_value(problem, price, plan)) for plan in allowed_plans(problem, hcp)]
            best = max(value for _, value in values)
            for pair in range(hcp * channels, (hcp + 1) * channels):
                forced = [value for plan, value in values if plan[pair] > 0]
                (kind, rule), short = said(reasons, pair), reasons.value_short[pair]
                kinds.add(kind)
                if solution.touches[pair]:
                    assert kind is None
                    assert np.isnan(short)
                elif not forced:
                    assert kind == "rule"
                    assert np.isnan(short)
                    assert rule
                else:
                    assert short == pytest.approx(max(0.0, best - max(forced)), abs=1e-8)
                    alone = priced_value(problem, price, {pair: 1})
                    if problem.value[pair] <= 0:
                        assert kind == "no_value"
                    elif alone <= 1e-10:
                        assert kind == "price"
                    else:
                        assert kind == ("tie" if short == 0 else "better_alternative")
    assert kinds == {None, "rule", "no_value", "price", "better_alternative", "tie"}


def test_a_pair_enters_its_hcps_best_set_once_its_value_rises_by_value_short():
    checked = 0
    for problem, solution in solved_cases(range(80), overlap=0.0):  # raising v raises every touch: exact with one touch
        reasons, price, channels = explain(problem, solution), solution.price, len(problem.channels)
        for pair in np.flatnonzero(reasons.value_short > 1e-6).tolist():
            for step, enters in ((1e-7, True), (-1e-7, False)):
                value = problem.value.copy()
                value[pair] += reasons.value_short[pair] + step
                risen = replace(problem, value=value)
                best = max(allowed_plans(risen, pair // channels), key=lambda plan: priced_value(risen, price, plan))
                assert (best[pair] > 0) == enters
            checked += 1
    assert checked > 100


def test_the_limit_named_is_the_one_that_costs_most():
    money = limit(0, "max", 10, [0, 1, 2], [10, 10, 10])
    time = limit(1, "max", 31, [1, 2], [30, 30], rule="rep_capacity", unit="minutes")
    problem = make_problem([[1.0], [9.0], [8.0]], limits=[money, time])
    touches = np.array([0, 1, 0])
    for price, named in (([0.9, 0.0], 0), ([0.2, 0.25], 1), ([0.75, 0.25], 0)):
        solution = standing(problem, touches, np.array(price), best=[0.0] * 3, forced=[-8.0, 0.0, -1.0])
        reasons = explain(problem, solution)
        assert said(reasons, 2) == ("price", problem.limits[named].rule), price
        assert reasons.limit[2] == named
        assert reasons.limit[1] == NOTHING


def standing(problem, touches, price, best, forced):
    """As much of a solution as the reasons read."""
    return SimpleNamespace(touches=touches, price=price, best=np.array(best), forced=np.array(forced))


def test_a_price_speaks_of_one_touch_alone_whatever_the_hcp_has_beside_it():
    cap = scope_limit(0, "max", 3, [0], [2.0, 1.0])
    problem = make_problem([[5.0, 3.0]], limits=[cap], most=3)
    # One touch of c0 alone: 5 - 2 x 2.6 < 0; of c1 alone 3 - 2.6 > 0, so it is the better alternative that keeps c1 out.
    solution = standing(problem, np.array([0, 0]), np.array([2.6]), best=[2.0], forced=[-0.5, 0.4])
    reasons = explain(problem, solution)
    assert [said(reasons, pair)[0] for pair in (0, 1)] == ["price", "better_alternative"]
    assert reasons.value_short.tolist() == pytest.approx([2.5, 1.6])


def test_a_pair_that_a_pin_shuts_out_names_the_rule_inside_the_hcp():
    by_cap = make_problem([[1.0, 5.0]], caps=[per_hcp_cap(1, 2, 1)], pins=[0])
    by_pair = make_problem([[1.0, 5.0, 1.0]], exclusive=[never_both(1, 3, 0, 1)], pins=[0])
    for problem, rule in ((by_cap, "contact_limit"), (by_pair, "incompatible")):
        reasons = explain(problem, solve(problem))
        assert said(reasons, 1) == ("rule", rule)
        assert np.isnan(reasons.value_short[1])


def test_a_rule_about_second_touches_shuts_out_no_first_one():
    gap = NotTogether("min_gap", "c0 twice beside c1", np.array([[0, 1]]), (2, 1))
    problem = make_problem([[1.0, 5.0]], exclusive=[gap, never_both(1, 2, 0, 1)], pins=[0], most=2)
    solution = standing(problem, np.array([1, 0]), np.empty(0), best=[1.0], forced=[1.0, -np.inf])
    assert said(explain(problem, solution), 1) == ("rule", "incompatible")


def test_price_cost_counts_every_touch_and_shares_a_floors_credit_among_an_hcps_counted_actions():
    floor = scope_limit(0, "min", 1, [0, 1], [1.0, 1.0, 0.0], "hcps", "soft", "coverage_floor", "hcps")
    budget = scope_limit(1, "max", 9, [0, 1, 2], [2.0, 1.0, 5.0])
    own = scope_limit(2, "max", 9, [1, 2], [[0.0, 3.0, 0.0], [1.0, 0.0, 0.0]])
    problem = make_problem(np.ones((3, 3)), limits=[floor, budget, own], most=3)
    touches = np.array([3, 1, 1, 0, 2, 0, 1, 0, 0])
    cost = price_cost(problem, touches, np.array([0.6, 0.1, 0.01])).reshape(3, 3)
    # h0 counts once for the floor: 0.6 over its two counted actions, however many touches each has.
    assert cost[0].tolist() == pytest.approx([3 * 0.2 - 0.3, 0.1 - 0.3, 0.5])
    assert cost[1].tolist() == pytest.approx([0.0, 2 * 0.1 + 2 * 0.03 - 0.6, 0.0])
    assert cost[2].tolist() == pytest.approx([0.2 + 0.01, 0.0, 0.0])


def test_price_costs_sum_to_price_times_use():
    for problem, solution in solved_cases(range(30), most=3):
        sign = np.array([1.0 if x.side == "max" else -1.0 for x in problem.limits])
        assert explain(problem, solution).price_cost.sum() == pytest.approx(float((sign * solution.price) @ solution.use), abs=1e-9)


def test_pairs_that_are_not_eligible_cost_nothing():
    problem = make_problem([[1.0, 1.0]], eligible=[[True, False]], limits=[scope_limit(0, "max", 9, [0], [1.0, 1.0])])
    assert price_cost(problem, np.array([1, 1]), np.array([0.5])).tolist() == [0.5, 0.0]


def test_a_credit_does_not_hide_the_price():
    """A pair whose floor pays for it is judged by the sum of all its prices."""
    floor = limit(0, "min", 1, [0], None, "hcps", "soft", "coverage_floor", "hcps")
    problem = make_problem([[0.5], [3.0]], limits=[floor, limit(1, "max", 1, [0, 1])], settings=replace(SETTINGS, floor_penalty=10.0))
    solution = solve(problem)
    assert np.flatnonzero(solution.touches).tolist() == [0]
    assert said(explain(problem, solution), 1)[0] in ("price", "tie")
