"""Odd shapes, plans worked out by hand, and the readable model over all columns against the solver's rounds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from plan_cases import SETTINGS, limit, make_problem, never_both, own_sets, per_hcp_cap, random_problem, set_value

from optimization.problem import HcpCap, NotTogether
from optimization.restricted import restrict
from optimization.result import plan_problem
from optimization.sets import BeyondEnvelope, build_sets
from optimization.shared import build_shared
from optimization.solve import solve


def planned(problem):
    solution = solve(problem)
    assert solution.gap <= 1e-9
    return solution.pairs.tolist(), solution.objective, solution.penalty


@pytest.mark.parametrize(
    "problem",
    [
        make_problem(-np.ones((1, 1))),
        make_problem(-np.ones((4, 3))),
        make_problem(np.ones((3, 2)), eligible=np.zeros(6)),
        make_problem(np.zeros((2, 0))),
        make_problem(np.zeros((0, 3))),
        make_problem(np.ones((2, 2)), limits=[limit(0, "max", 0, range(4))]),
        make_problem(np.zeros((2, 2))),
    ],
    ids=["one bad pair", "all negative", "nothing eligible", "no channel", "no hcp", "no budget", "no value"],
)
def test_nothing_to_gain_is_a_valid_plan_with_gap_zero(problem):
    result = plan_problem(problem)
    assert (result.status, result.objective, result.gap, result.penalty) == ("optimal", 0.0, 0.0, 0.0)
    assert result.upper_bound == 0.0
    assert len(result.pairs) == problem.pair_count
    assert result.conflicts.empty


def test_one_hcp_one_channel():
    assert planned(make_problem([[2.5]])) == ([0], 2.5, 0.0)


def test_limits_without_pairs_say_nothing():
    limits = [limit(0, "max", 0, []), limit(1, "min", 0, [], counts="hcps", hardness="soft")]
    assert planned(make_problem([[1.0, 2.0]], limits=limits))[1] == pytest.approx(2.9)


def test_overlap_makes_a_second_touch_not_worth_it():
    # 5 + 1 - 0.5 x 1 = 5.5: still worth it; with a third channel of 1: 5 + 1 + 1 - 0.5 x 3 = 5.5: it brings nothing more.
    problem = make_problem([[5.0, 1.0]], settings=replace(SETTINGS, overlap=0.5))
    assert planned(problem)[:2] == ([0, 1], 5.5)


def test_a_soft_floor_is_missed_when_the_penalty_is_smaller_than_the_loss():
    floor = limit(0, "min", 2, [0, 1], None, "hcps", "soft", "coverage_floor", "hcps")
    cheap = make_problem([[-3.0], [4.0]], limits=[floor], settings=replace(SETTINGS, floor_penalty=2.0))
    assert planned(cheap) == ([1], 4.0, 2.0)
    dear = make_problem([[-3.0], [4.0]], limits=[floor], settings=replace(SETTINGS, floor_penalty=3.5))
    assert planned(dear) == ([0, 1], 1.0, 0.0)


def test_a_default_penalty_is_twice_the_largest_set_value():
    floor = limit(0, "min", 1, [0], None, "hcps", "soft", "coverage_floor", "hcps")
    problem = make_problem([[-30.0, 5.0, 4.0]], limits=[floor], caps=[per_hcp_cap(1, 3, 2)])
    assert solve(problem).floor_penalty == pytest.approx(2 * 8.6)
    assert planned(problem) == ([1, 2], pytest.approx(8.6), pytest.approx(17.2))


def test_a_floor_counts_an_hcp_once_however_many_touches():
    floor = limit(0, "min", 2, [0, 1, 2, 3], None, "hcps", "hard", "coverage_floor", "hcps")
    budget = limit(1, "max", 2, [0, 1, 2, 3])
    assert planned(make_problem([[9.0, 8.0], [1.0, 0.5]], limits=[floor, budget]))[0] == [0, 2]


def test_hard_minimum_forces_a_loss():
    low = limit(0, "min", 2, [0, 2], rule="channel_capacity", unit="touches")
    assert planned(make_problem([[-1.0, 3.0], [-2.0, 3.0]], limits=[low]))[0] == [0, 1, 2, 3]


def test_pins_are_kept_even_at_a_loss_and_use_the_budget():
    problem = make_problem([[-1.0], [5.0], [4.0]], limits=[limit(0, "max", 2, [0, 1, 2])], pins=[0])
    assert planned(problem) == ([0, 1], 4.0, 0.0)


def test_incompatible_channels_and_caps():
    assert planned(make_problem([[3.0, 2.9, 1.0]], exclusive=[never_both(1, 3, 0, 1)]))[0] == [0, 2]
    assert planned(make_problem([[3.0, 2.9, 1.0]], caps=[per_hcp_cap(1, 3, 1)]))[0] == [0]
    assert planned(make_problem([[3.0, 2.9, 1.0]], caps=[per_hcp_cap(1, 3, 1, scope=[0, 1])]))[0] == [0, 2]
    three = NotTogether("min_gap", "gap", np.array([[0, 1, 2]]))
    assert planned(make_problem([[3.0, 2.9, 1.0]], exclusive=[three]))[0] == [0, 1]


def test_money_at_the_edge_of_a_budget_fits():
    cost = [0.1, 0.2, 0.3]
    problem = make_problem([[1.0], [1.0], [5.0]], limits=[limit(0, "max", 0.6, range(3), cost)])
    assert planned(problem)[0] == [0, 1, 2]


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_units_of_kpi_and_money_do_not_matter(scale):
    rng = np.random.default_rng(5)
    value, cost = rng.gamma(2.0, 1.0, (8, 2)), rng.uniform(1, 5, 16)
    plain = make_problem(value, limits=[limit(0, "max", 12.0, range(16), cost)])
    scaled = make_problem(value * scale, limits=[limit(0, "max", 12.0 / scale, range(16), cost / scale)])
    assert planned(plain)[0] == planned(scaled)[0]


def test_twelve_channels_with_a_contact_limit():
    rng = np.random.default_rng(1)
    problem = make_problem(rng.gamma(2.0, 1.0, (60, 12)), caps=[per_hcp_cap(60, 12, 3)], limits=[limit(0, "max", 100, range(720))])
    assert build_sets(problem).column_count == 60 * 299
    assert len(planned(problem)[0]) == 100


def test_more_sets_than_can_be_listed_are_planned_all_the_same():
    listed, generated = make_problem(np.ones((2, 14))), make_problem(np.ones((2, 15)))
    assert build_sets(listed).column_count == 2 * 2**14
    with pytest.raises(BeyondEnvelope, match=r"hcp_id h000000 has more than 20000 allowed sets of touches \(15 free channels\)"):
        build_sets(generated)
    # n touches of 1 bring n - 0.1 x n (n - 1) / 2: 5.5 at n = 10, and no more at n = 11
    for problem in (listed, generated):
        assert planned(problem)[1] == pytest.approx(2 * 5.5)
    assert planned(make_problem(np.ones((1, 63))))[1] == pytest.approx(5.5)


@pytest.mark.parametrize("seed", range(30))
def test_sets_and_values_are_those_of_the_definition(seed):
    problem = random_problem(seed)
    problem = replace(problem, pins=problem.pins[problem.eligible[problem.pins]])
    sets, channels = build_sets(problem), len(problem.channels)
    for hcp in range(len(problem.hcp_ids)):
        mine = range(sets.start[hcp], sets.start[hcp + 1])
        touched = [np.flatnonzero(row) + hcp * channels for row in sets.touches[sets.kind_of(np.array(mine))]]
        found = {tuple(s.tolist()): v for s, v in zip(touched, sets.value_of(np.array(mine)), strict=True)}
        wanted = {s: set_value(problem, s) for s in own_sets(problem, hcp, channels, with_pins=True)}
        assert found.keys() == wanted.keys()
        assert all(found[s] == pytest.approx(wanted[s], abs=1e-12) for s in wanted)


def test_caps_of_any_grouping_are_understood():
    cap = HcpCap("contact_limit", "mixed", np.array([3, 0, 1, 4]), np.array([1, 0, 0, 1]), np.array([1, 0]))
    sets = build_sets(make_problem(np.ones((2, 3)), caps=[cap]))
    bits = sets.touches @ (1 << np.arange(3))
    allowed = [set(bits[sets.kind_of(np.arange(sets.start[h], sets.start[h + 1]))].tolist()) for h in (0, 1)]
    assert allowed == [{0, 1, 2, 4, 5, 6}, {0, 4}]


@pytest.mark.parametrize("counted", [False, True], ids=["plain", "with counts"])
def test_the_readable_model_over_all_columns_has_the_same_optimum(counted):
    import pyomo.environ as pyo

    from optimization.model import build_model, compile_model
    from optimization.tallies import no_tallies, tally

    problem = random_problem(5, max_hcps=8)
    sets = build_sets(problem)
    shared = build_shared(problem, sets)
    solution = solve(problem)
    cost = np.where(shared.soft, solution.floor_penalty, np.inf) * shared.scale
    part = restrict(sets, shared, np.arange(sets.column_count), settle=False)
    tallies = tally(sets, shared, part) if counted else no_tallies(shared.count, len(part.free))
    assert (tallies.count > 0) == counted
    model = build_model(part, cost, tallies)
    pyo.SolverFactory("appsi_highs").solve(model)
    assert pyo.value(model.Total) == pytest.approx(solution.objective - solution.penalty, rel=1e-6)
    arrays = compile_model(part, cost, tallies)
    assert [name for name, _ in arrays.names].count("Pick") == sets.column_count
    assert arrays.matrix.shape == (len(sets.start) - 1 + len(model.LIMITS) + tallies.count, len(arrays.names))
