"""Why a pair is not planned: value_short recomputed from its definition, kinds in their order, shares of price."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from plan_cases import SETTINGS, limit, make_problem, never_both, own_sets, per_hcp_cap, random_problem, set_value, use_by_pair

from optimization.prices import LimitsConflict
from optimization.reasons import explain
from optimization.solve import solve


def priced_value(problem, price, members):
    total = set_value(problem, members)
    for x, y in zip(problem.limits, price, strict=True):
        table = use_by_pair(problem, x)
        use = sum(table.get(p, 0.0) for p in members) if x.counts == "touches" else float(any(p in table for p in members))
        total -= (1 if x.side == "max" else -1) * y * use
    return total


def solved_cases(seeds, **changes):
    for seed in seeds:
        problem = random_problem(seed)
        problem = replace(problem, settings=replace(problem.settings, **changes))
        try:
            yield problem, solve(problem)
        except LimitsConflict:
            continue


def test_value_short_is_its_definition():
    kinds = set()
    for problem, solution in solved_cases(range(60)):
        reasons, price, channels = explain(problem, solution), solution.prices.price, len(problem.channels)
        planned = set(solution.pairs.tolist())
        for hcp in range(len(problem.hcp_ids)):
            values = {s: priced_value(problem, price, s) for s in own_sets(problem, hcp, channels, with_pins=True)}
            best = max(values.values())
            for pair in range(hcp * channels, (hcp + 1) * channels):
                forced = [v for s, v in values.items() if pair in s]
                kind, short = reasons.kind[pair], reasons.value_short[pair]
                kinds.add(kind)
                if pair in planned:
                    assert kind is None
                    assert np.isnan(short)
                elif not forced:
                    assert kind == "rule"
                    assert np.isnan(short)
                    assert reasons.rule[pair]
                else:
                    assert short == pytest.approx(max(0.0, best - max(forced)), abs=1e-8)
                    alone = priced_value(problem, price, (pair,))
                    if problem.value[pair] <= 0:
                        assert kind == "no_value"
                    elif alone <= 1e-10:
                        assert kind == "price"
                    else:
                        assert kind == ("tie" if short == 0 else "better_alternative")
    assert kinds == {None, "rule", "no_value", "price", "better_alternative", "tie"}


def test_a_pair_enters_its_hcps_best_set_once_its_value_rises_by_value_short():
    checked = 0
    for problem, solution in solved_cases(range(80), overlap=0.0):
        reasons, price, channels = explain(problem, solution), solution.prices.price, len(problem.channels)
        for pair in np.flatnonzero(reasons.value_short > 1e-6).tolist():
            for step, enters in ((1e-7, True), (-1e-7, False)):
                value = problem.value.copy()
                value[pair] += reasons.value_short[pair] + step
                risen = replace(problem, value=value)
                sets = {s: priced_value(risen, price, s) for s in own_sets(risen, pair // channels, channels, with_pins=True)}
                assert (pair in max(sets, key=sets.get)) == enters
            checked += 1
    assert checked > 100


def test_the_limit_named_is_the_one_that_costs_most():
    money = limit(0, "max", 10, [0, 1, 2], [10, 10, 10])
    time = limit(1, "max", 31, [1, 2], [30, 30], rule="rep_capacity", unit="minutes")
    problem = make_problem([[1.0], [9.0], [8.0]], limits=[money, time])
    solution = solve(problem)
    reasons = explain(problem, solution)
    assert solution.pairs.tolist() == [1]
    for pair in (0, 2):
        cost = [y * use_by_pair(problem, x).get(pair, 0) for x, y in zip(problem.limits, solution.prices.price, strict=True)]
        assert reasons.kind[pair] in ("price", "tie")
        if reasons.kind[pair] == "price":
            assert reasons.limit[pair] == int(np.argmax(cost))
            assert reasons.rule[pair] == problem.limits[reasons.limit[pair]].rule


def test_a_pair_that_a_pin_shuts_out_names_the_rule_inside_the_hcp():
    by_cap = make_problem([[1.0, 5.0]], caps=[per_hcp_cap(1, 2, 1)], pins=[0])
    by_pair = make_problem([[1.0, 5.0, 1.0]], exclusive=[never_both(1, 3, 0, 1)], pins=[0])
    for problem, rule in ((by_cap, "contact_limit"), (by_pair, "incompatible")):
        reasons = explain(problem, solve(problem))
        assert (reasons.kind[1], reasons.rule[1]) == ("rule", rule)
        assert np.isnan(reasons.value_short[1])


def test_price_cost_shares_a_floors_credit_among_an_hcps_counted_actions():
    floor = limit(0, "min", 1, [0, 1], None, "hcps", "soft", "coverage_floor", "hcps")
    budget = limit(1, "max", 3, range(4))
    problem = make_problem([[1.0, 0.9], [9.0, 8.0]], limits=[floor, budget], settings=replace(SETTINGS, overlap=0.0))
    solution = solve(problem)
    reasons, price = explain(problem, solution), solution.prices.price
    total = sum(s * y * u for s, y, u in zip((-1, 1), price, solution.shared.total_use(solution.sets, solution.columns), strict=True))
    assert reasons.price_cost.sum() == pytest.approx(total)
    pinned = replace(
        problem, pins=np.array([0, 1]), pin_labels=["a", "b"], limits=[x.over(2) for x in (floor, limit(1, "max", 3, range(4)))]
    )
    solution = solve(pinned)
    price = np.array([0.6, 0.2])
    shares = explain(pinned, replace(solution, prices=replace(solution.prices, price=price))).price_cost
    assert shares[[0, 1]].tolist() == pytest.approx([0.2 - 0.3, 0.2 - 0.3])


def test_a_credit_does_not_hide_the_price():
    """A pair whose floor pays for it is judged by the sum of all its prices."""
    floor = limit(0, "min", 1, [0], None, "hcps", "soft", "coverage_floor", "hcps")
    problem = make_problem([[0.5], [3.0]], limits=[floor, limit(1, "max", 1, [0, 1])], settings=replace(SETTINGS, floor_penalty=10.0))
    solution = solve(problem)
    assert solution.pairs.tolist() == [0]
    reasons = explain(problem, solution)
    assert reasons.kind[1] in ("price", "tie")
