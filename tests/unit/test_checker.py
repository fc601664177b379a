"""The checker finds every corruption of a good plan, and values plans as the contract says."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import combinations, product

import numpy as np
import pytest

import optimization.allowed_sets as allowed_sets
from optimization.checker import Violation, check_plan, floor_penalty, objective_of, shortfalls
from optimization.problem import Block, HcpCap, Limit, NotTogether, PlanInputError, PlanSettings, Problem

SETTINGS = PlanSettings(date(2026, 1, 5), date(2026, 2, 2))


def limit(side: str, bound: float, pairs: list[int], coefficients: list[float] | None = None, **more) -> Limit:
    more = {"rule": "budget", "width": 3} | more
    width, key = more.pop("width"), {"limit_id": "id", "side": side, "unit": "cost", "label": f"{side} {bound:g}", "bound": bound}
    return Limit.of_pairs(np.array(pairs), coefficients, width, **key, **more)


def problem_of(value: list[list[float]], **more) -> Problem:
    table = np.array(value, dtype=np.float64)
    size, hcps = table.size, len(table)
    plain = Problem(
        settings=SETTINGS,
        hcp_ids=np.array([f"h{number}" for number in range(hcps)], dtype=object),
        channels=[f"c{number}" for number in range(table.shape[1])],
        territory=np.full(hcps, -1, dtype=np.int32),
        territory_names=[],
        rep=np.full(hcps, -1, dtype=np.int32),
        rep_names=[],
        cost=np.ones(table.shape[1]),
        minutes=np.zeros(table.shape[1]),
        most_touches=np.ones(table.shape[1], dtype=np.int64),
        value=table.ravel(),
        eligible=np.ones(size, dtype=bool),
        earliest=np.zeros(size, dtype=np.int32),
        latest=np.full(size, 27, dtype=np.int32),
        blocked_by=np.full(size, -1, dtype=np.int8),
        blockers=["consent", "window"],
        blocks=[],
        limits=[],
        caps=[],
        exclusive=[],
        pins=np.empty(0, dtype=np.int64),
        pin_labels=[],
    )
    return replace(plain, **more)


def plan(problem: Problem, *pairs: int) -> np.ndarray:
    chosen = np.zeros(problem.pair_count, dtype=bool)
    chosen[list(pairs)] = True
    return chosen


def ruled() -> Problem:
    """Two HCPs x three channels under one rule of each shape; the plan {0, 3} keeps them all."""
    eligible = np.array([1, 1, 1, 1, 1, 0], dtype=bool)
    return problem_of(
        [[3.0, 2.0, 1.0], [3.0, 2.0, 1.0]],
        eligible=eligible,
        earliest=np.where(eligible, 2, -1).astype(np.int32),
        latest=np.where(eligible, 27, -1).astype(np.int32),
        blocked_by=np.array([-1, -1, -1, -1, -1, 0], dtype=np.int8),
        blocks=[Block("window", np.arange(6), np.zeros(6, dtype=int), np.ones(6, dtype=int), np.zeros(6, dtype=int), ["shut"])],
        limits=[
            limit("max", 4.0, [0, 1, 3, 4], [2.0, 3.0, 2.0, 1.0]),
            limit("min", 1.0, [0, 1, 2], rule="channel_capacity"),
            limit("min", 2.0, [0, 3], counts="hcps", hardness="soft", rule="coverage_floor", requested=2.0, reachable=2.0),
        ],
        caps=[HcpCap("contact_limit", "contact limit", np.arange(6), np.repeat([0, 1], 3), np.array([2, 1]))],
        exclusive=[NotTogether("incompatible", "c0 and c2", np.array([[0, 2], [3, 5]]))],
        pins=np.array([3]),
        pin_labels=["pin of h1 on c0"],
    )


def test_a_good_plan_has_no_violation():
    problem = ruled()
    assert check_plan(problem, plan(problem, 0, 3)) == []


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        pytest.param([0], [Violation("override", "pin of h1 on c0", 1.0, 3)], id="pin left out"),
        pytest.param([3], [Violation("channel_capacity", "min 1", 1.0, 0)], id="below a minimum"),
        pytest.param([0, 1, 3], [Violation("budget", "max 4", 3.0, 0)], id="over a maximum"),
        pytest.param([0, 2, 3], [Violation("incompatible", "c0 and c2", 1.0, 0)], id="incompatible"),
        pytest.param([2, 3, 4], [Violation("contact_limit", "contact limit", 1.0, 3)], id="over a cap"),
        pytest.param([2, 3], [], id="a soft floor is not broken"),
    ],
)
def test_each_corruption_is_found(pairs, expected):
    problem = ruled()
    assert check_plan(problem, plan(problem, *pairs)) == expected


def test_ineligible_pairs_are_found_under_their_blocker():
    problem = replace(ruled(), caps=[], exclusive=[])
    assert check_plan(problem, plan(problem, 0, 3, 5)) == [Violation("consent", "pair without an eligible day", 1.0, 5)]


def test_runs_that_touch_a_blocked_day_or_leave_the_cycle_are_found():
    problem = ruled()
    early = replace(problem, earliest=np.where(problem.eligible, 1, -1))
    assert check_plan(early, plan(problem, 0, 3)) == [Violation("window", "blocked day inside an eligible run", 2.0, 0)]
    late = replace(problem, latest=np.where(problem.eligible, 28, -1))
    assert check_plan(late, plan(problem, 0, 3)) == [Violation("eligibility", "eligible run outside the cycle", 2.0, 0)]


def test_values_that_are_not_finite_are_found():
    problem = problem_of([[1.0, float("nan")]])
    assert check_plan(problem, plan(problem, 0)) == [Violation("value", "expected impact is not a finite number", 1.0, 1)]


@pytest.mark.parametrize(("use", "is_broken"), [(1.0, False), (1.0 + 0.9e-6, False), (1.0 + 1.2e-6, True)])
def test_upper_limits_are_inclusive_with_a_relative_tolerance(use, is_broken):
    problem = problem_of([[1.0]], limits=[limit("max", 1000.0, [0], [1000.0 * use], width=1)])
    assert bool(check_plan(problem, plan(problem, 0))) == is_broken


def test_hard_floors_count_hcps_not_pairs():
    problem = problem_of([[1.0, 1.0], [1.0, 1.0]], limits=[limit("min", 2.0, [0, 1, 2, 3], counts="hcps", rule="coverage_floor", width=2)])
    assert check_plan(problem, plan(problem, 0, 1)) == [Violation("coverage_floor", "min 2", 1.0, 0)]
    assert check_plan(problem, plan(problem, 0, 2)) == []


@pytest.mark.parametrize("touches", [np.zeros(2, dtype=bool), np.zeros(6)])
def test_a_plan_of_another_shape_is_refused(touches):
    with pytest.raises(PlanInputError, match="touches must be 6 whole numbers"):
        check_plan(ruled(), touches)


def test_touches_below_zero_are_refused():
    with pytest.raises(PlanInputError, match="touches must be >= 0, not -1"):
        check_plan(ruled(), np.array([0, 0, 0, 1, -1, 0]))


def test_objective_with_overlap_by_hand():
    # V = 3 + 2 - 1 - 0.1 x min(3, 2) = 3.8; the negative touch keeps -1, the others share 4.8 as 3 : 2.
    problem = problem_of([[3.0, 2.0, -1.0], [5.0, 0.0, 0.0]])
    objective, penalty, plan_value = objective_of(problem, plan(problem, 0, 1, 2, 3, 4))
    assert objective == pytest.approx(3.8 + 5.0)
    assert penalty == 0
    assert plan_value == pytest.approx([2.88, 1.92, -1.0, 5.0, 0.0, 0.0])


def test_objective_against_the_formula_on_random_plans():
    rng = np.random.default_rng(5)
    for overlap in (0.0, 0.1, 0.5):
        problem = replace(problem_of(rng.normal(0.5, 1, (30, 5)).round(1)), settings=replace(SETTINGS, overlap=overlap))
        touches = rng.integers(0, 4, 150)
        expected = 0.0
        for hcp in range(30):
            value = np.repeat(problem.value[hcp * 5 : hcp * 5 + 5], touches[hcp * 5 : hcp * 5 + 5])
            expected += value.sum() - overlap * sum(min(max(one, 0), max(other, 0)) for one, other in combinations(value, 2))
        objective, _, plan_value = objective_of(problem, touches)
        assert objective == pytest.approx(expected)
        assert plan_value.sum() == pytest.approx(expected)
        assert not plan_value[touches == 0].any()


def test_an_empty_plan_is_worth_nothing():
    problem = problem_of([[1.0]])
    assert objective_of(problem, plan(problem))[:2] == (0.0, 0.0)


def test_penalty_is_shortfall_times_twice_the_largest_value_of_one_hcp():
    problem = ruled()
    chosen = plan(problem, 2, 3)
    assert shortfalls(problem, chosen).tolist() == [0, 0, 1]
    # h0 may do two of three, c0 and c1 the best: 3 + 2 - 0.1 x 2 = 4.8.
    assert floor_penalty(problem) == pytest.approx(9.6)
    assert objective_of(problem, chosen)[1] == pytest.approx(9.6)
    assert objective_of(replace(problem, settings=replace(SETTINGS, floor_penalty=0.5)), chosen)[1] == 0.5


def brute_largest(problem: Problem) -> float:
    width = len(problem.channels)
    inner = replace(problem, limits=[], blocks=[])
    best = 0.0
    for hcp in range(len(problem.hcp_ids)):
        mine = slice(hcp * width, hcp * width + width)
        pins = [pin for pin in problem.pins if mine.start <= pin < mine.stop and problem.eligible[pin]]
        own = replace(inner, pins=np.array(pins, dtype=np.int64), pin_labels=[""] * len(pins))
        for counts in product(*(range(most + 1) for most in problem.most_touches)):
            touches = np.zeros(problem.pair_count, dtype=np.int64)
            touches[mine] = counts
            if not check_plan(own, touches):
                best = max(best, objective_of(own, touches)[0])
    return best


def with_own_rules(seed: int) -> Problem:
    """Random caps, exclusive touches and pins, one to three touches per channel."""
    rng = np.random.default_rng(seed)
    hcps, width = 6, 4
    size = hcps * width
    eligible = rng.random(size) < 0.8
    members = np.array([[hcp * width + a, hcp * width + b] for hcp in range(hcps) for a, b in combinations(range(width), 2)])
    return problem_of(
        rng.normal(0.5, 1, (hcps, width)).tolist(),
        eligible=eligible,
        most_touches=rng.integers(1, 4, width),
        blocked_by=np.where(eligible, -1, 1).astype(np.int8),
        caps=[
            HcpCap("contact_limit", "cap", np.arange(size), np.repeat(np.arange(hcps), width), rng.integers(1, 6, hcps)),
            HcpCap("min_gap", "gap to itself", np.arange(0, size, width), np.arange(hcps), rng.integers(1, 3, hcps)),
        ],
        exclusive=[
            NotTogether("incompatible", "never both", members[rng.random(len(members)) < 0.2]),
            NotTogether("min_gap", "gap", members[rng.random(len(members)) < 0.3], (int(rng.integers(1, 3)), 2)),
        ],
        pins=rng.choice(size, 2, replace=False),
        pin_labels=["one", "two"],
        settings=replace(SETTINGS, overlap=float(rng.choice([0.0, 0.1, 0.3, 0.5]))),
    )


@pytest.mark.parametrize("most_kinds", [4096, 0])
@pytest.mark.parametrize("seed", range(30))
def test_default_floor_penalty_against_every_set(seed, most_kinds, monkeypatch):
    monkeypatch.setattr(allowed_sets, "MOST_KINDS", most_kinds)  # 0: HCP by HCP
    problem = with_own_rules(seed)
    assert floor_penalty(problem) == pytest.approx(2 * brute_largest(problem))


def test_default_floor_penalty_where_a_channel_allows_touches_without_end():
    wide = problem_of([[1.0, 2.0, -1.0]] * 3, most_touches=np.full(3, 10_000), settings=replace(SETTINGS, overlap=0.25))
    # Ranks 0 to 3 of the better channel: 2 x (1 + 0.75 + 0.5 + 0.25) = 5.
    assert floor_penalty(wide) == pytest.approx(10.0)
    capped = replace(wide, caps=[HcpCap("contact_limit", "cap", np.array([1, 4, 7]), np.arange(3), np.array([1, 2, 0]))])
    # Two of the better at ranks 0 and 1, two of the other at 2 and 3: 2 + 1.5 + 0.5 + 0.25.
    assert floor_penalty(capped) == pytest.approx(8.5)
    plain = replace(capped, settings=replace(SETTINGS, overlap=0.0))
    assert floor_penalty(plain) == pytest.approx(2 * (10_000 + 4))


def test_several_touches_by_hand():
    # Three touches of 4, one of 3 and two of -1. Ranks 0, 1, 2 and 3: 4 x (1 + 0.9 + 0.8) + 3 x 0.7 = 12.9, and -2.
    problem = problem_of([[4.0, 3.0, -1.0]], most_touches=np.array([3, 3, 2]))
    objective, _, plan_value = objective_of(problem, np.array([3, 1, 2]))
    assert objective == pytest.approx(10.9)
    assert plan_value == pytest.approx([12.9 * 12 / 15, 12.9 * 3 / 15, -2.0])
    assert check_plan(problem, np.array([3, 1, 2])) == []
    assert check_plan(problem, np.array([4, 0, 3])) == [Violation("max_touches", "more touches than the catalogue allows", 2.0, 0)]


def test_rules_count_touches():
    problem = problem_of(
        [[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]],
        most_touches=np.full(3, 3),
        limits=[limit("max", 7.0, [0, 1, 3], [2.0, 1.0, 1.0]), limit("min", 2.0, [0, 1, 3], counts="hcps", rule="coverage_floor")],
        caps=[HcpCap("contact_limit", "contact limit", np.arange(6), np.repeat([0, 1], 3), np.array([4, 2]))],
        exclusive=[NotTogether("min_gap", "gap", np.array([[0, 1], [3, 4]]), (2, 1))],
    )
    assert check_plan(problem, np.array([2, 0, 2, 2, 0, 0])) == []
    broken = [check_plan(problem, np.array(touches)) for touches in ([2, 0, 2, 3, 0, 0], [3, 0, 0, 2, 0, 0], [2, 1, 0, 1, 1, 0])]
    assert broken == [
        [Violation("contact_limit", "contact limit", 1.0, 3)],
        [Violation("budget", "max 7", 1.0, 0)],
        [Violation("min_gap", "gap", 1.0, 0)],
    ]
    assert check_plan(problem, np.array([2, 0, 2, 0, 0, 0]))[0] == Violation("coverage_floor", "min 2", 1.0, 0)
