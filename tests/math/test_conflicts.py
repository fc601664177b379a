"""Limits that cannot hold together: every suggested loosening is enough, and a little less is not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from plan_cases import brute_force, limit, make_problem, never_both, per_hcp_cap, random_problem, rep_bound_problem

from benchmarks.allocation.families import draw_case
from benchmarks.allocation.problems import problem_of
from optimization.conflicts import COLUMNS, diagnose
from optimization.loosening import take_census
from optimization.prices import LimitsConflict
from optimization.problem import Block
from optimization.result import plan_problem
from optimization.sets import build_sets
from optimization.shared import build_shared
from optimization.solve import solve


def loosened(problem, found, less_at=None):
    """The problem after the advice was followed; one loosening is cut short by a thousandth of a unit where asked."""
    limits = {x.limit_id: x for x in problem.limits}
    for place, row in found.iterrows():
        if row["direction"] in ("raise", "lower") and row["limit_id"]:
            amount = row["loosening"] - (1e-3 if place == less_at else 0.0)
            x = limits[row["limit_id"]]
            limits[row["limit_id"]] = replace(x, bound=x.bound + (amount if row["direction"] == "raise" else -amount))
    return replace(problem, limits=list(limits.values()))


def test_advice_is_enough_and_not_more_than_needed():
    cases = 0
    for seed in range(260):
        problem = random_problem(seed)
        optimum, _ = brute_force(problem)
        if optimum is not None:
            continue
        with pytest.raises(LimitsConflict):
            solve(problem)
        found = diagnose(problem)
        assert found.columns.tolist() == COLUMNS
        assert len(found)
        assert brute_force(loosened(problem, found))[0] is not None
        for place, row in found.iterrows():
            if row["direction"] in ("raise", "lower"):
                assert brute_force(loosened(problem, found, place))[0] is None
        cases += 1
        if cases == 24:
            break
    assert cases == 24


def test_no_conflict_no_rows():
    assert diagnose(random_problem(0)).empty == (brute_force(random_problem(0))[0] is not None)
    assert diagnose(make_problem([[1.0]])).empty


def test_a_pin_on_a_blocked_pair_names_what_blocks_it():
    problem = make_problem([[1.0, 2.0]], eligible=[False, True], pins=[0])
    block = Block("exclusion", np.array([0]), np.array([0]), np.array([27]), np.array([0]), ["left the practice"])
    found = diagnose(replace(problem, blocks=[block]))
    assert found["rule"].tolist() == ["rule_override"]
    assert found["problem"].tolist() == ["pin 0 cannot be kept: no day of the cycle is open (exclusion: left the practice)"]
    assert found["what_to_do"].tolist() == ["remove the pin, or the rows of rule_exclusion that block it"]


def test_pins_against_rules_inside_the_hcp():
    capped = diagnose(make_problem([[1.0, 2.0, 1.0]], caps=[per_hcp_cap(1, 3, 1)], pins=[0, 1]))
    assert capped[["rule", "limit_value", "loosening", "direction"]].to_numpy().tolist() == [["rule_contact_limit", 1.0, 1.0, "raise"]]
    assert "HCP h000000 is pinned to 2 touches (pin 0, pin 1), at most 1 leaves 1" in capped["problem"].iloc[0]
    apart = diagnose(make_problem([[1.0, 2.0]], exclusive=[never_both(1, 2, 0, 1)], pins=[0, 1]))
    assert apart["rule"].tolist() == ["rule_incompatible"]
    assert apart["what_to_do"].tolist() == ["remove one of the pins in rule_override, or the row of rule_incompatible"]


@pytest.mark.parametrize(
    ("limits", "pins", "rule", "direction", "loosening"),
    [
        ([limit(0, "max", 1.5, [0, 1], [1.0, 2.0])], [1], "rule_budget", "raise", 0.5),
        ([limit(0, "max", -2.0, [0, 1], rule="channel_capacity", unit="touches")], [], "rule_channel_capacity", "raise", 2.0),
        ([limit(0, "min", 5, [0, 2], rule="channel_capacity", unit="touches")], [], "rule_channel_capacity", "lower", 3.0),
        ([limit(0, "min", 4, range(4), None, "hcps", "hard", "coverage_floor", "hcps")], [], "rule_coverage_floor", "lower", 2.0),
    ],
    ids=["pin over budget", "negative capacity", "minimum above the eligible pairs", "hard floor above what is reachable"],
)
def test_a_limit_that_cannot_hold_alone(limits, pins, rule, direction, loosening):
    found = diagnose(make_problem(np.ones((2, 2)), limits=limits, pins=pins))
    assert found[["rule", "direction"]].to_numpy().tolist() == [[rule, direction]]
    assert found["loosening"].tolist() == pytest.approx([loosening])
    assert found["limit_id"].tolist() == ["limit000"]
    assert "even if every other limit were dropped" in found["problem"].iloc[0]


def test_minimum_above_maximum_of_the_same_scope_names_both():
    limits = [
        limit(0, "min", 3, [0, 1, 2], rule="channel_capacity", unit="touches"),
        limit(1, "max", 1, [0, 1, 2], rule="channel_capacity", unit="touches"),
        limit(2, "max", 50, [0, 1, 2]),
    ]
    found = diagnose(make_problem(np.ones((3, 1)), limits=limits))
    assert set(found["limit_id"]) == {"limit000", "limit001"}
    assert found["loosening"].sum() == pytest.approx(2.0)


def test_two_separate_conflicts_are_both_told():
    limits = [
        limit(0, "min", 2, [0, 2], rule="channel_capacity", unit="touches"),
        limit(1, "max", 1, [0, 2], rule="channel_capacity", unit="touches"),
        limit(2, "min", 2, [1, 3], rule="channel_capacity", unit="touches"),
        limit(3, "max", 0, [1, 3], rule="channel_capacity", unit="touches"),
    ]
    problem = make_problem(np.ones((2, 2)), limits=limits)
    found = diagnose(problem)
    assert set(found["limit_id"]) == {"limit000", "limit001", "limit002", "limit003"}
    assert brute_force(loosened(problem, found))[0] is not None


def test_a_result_with_conflicts_has_no_actions_and_says_so():
    result = plan_problem(make_problem([[1.0, 2.0]], limits=[limit(0, "min", 3, [0, 1])]))
    assert result.status == "conflict"
    assert result.actions.empty
    assert len(result.conflicts) == 1
    assert np.isnan(result.objective)
    assert len(result.pairs) == 2


def infeasible(kind):
    """A problem of 12 reps with limits of every kind, made impossible; (problem, ids of limits that must be named)."""
    problem = problem_of(draw_case("rep_time", 1800))
    limits = {x.limit_id: x for x in problem.limits}

    def bound(name, number):
        limits[name] = replace(limits[name], bound=float(number))

    if kind == "floor above what is reachable":
        bound("floor-R00003", 900)
        named = {"floor-R00003"}
    elif kind == "channel minimum against budget":
        bound("touches-min-live_remote", 1000)
        bound("budget", 20_000)
        named = {"touches-min-live_remote", "budget"}
    elif kind == "two floors against the minutes of two reps":
        for rep in ("R00002", "R00007"):
            bound(f"minutes-{rep}", 200)
        named = {"floor-R00002", "minutes-R00002", "floor-R00007", "minutes-R00007"}
    else:
        visits = np.flatnonzero(problem.eligible & (np.arange(problem.pair_count) % 6 == 0))
        pins = visits[problem.rep[visits // 6] == 5]
        problem = replace(problem, pins=pins, pin_labels=[f"pin {pin}" for pin in pins])
        named = {"minutes-R00005"}
    return replace(problem, limits=list(limits.values())), named


@pytest.mark.parametrize(
    "kind",
    [
        "floor above what is reachable",
        "channel minimum against budget",
        "two floors against the minutes of two reps",
        "pins against capacity",
    ],
)
def test_conflicts_among_many_limits_are_named_and_the_advice_is_enough(kind):
    problem, named = infeasible(kind)
    with pytest.raises(LimitsConflict):
        solve(problem)
    found = diagnose(problem)
    assert set(found["limit_id"]) == named
    wiser = loosened(problem, found)
    assert solve(replace(wiser, settings=replace(problem.settings, gap=0.05))).status == "optimal"
    for place, row in found.iterrows():
        if row["direction"] in ("raise", "lower"):
            less = loosened(problem, found.assign(loosening=found["loosening"].where(found.index != place, 0.99 * found["loosening"])))
            with pytest.raises(LimitsConflict):
                solve(less)


def test_hcps_of_one_class_are_counted_together():
    problem = problem_of(draw_case("rep_time", 600))
    sets = build_sets(problem)
    shared = build_shared(problem, sets)
    census = take_census(sets, shared)
    minutes = np.array([i for i, x in enumerate(problem.limits) if x.unit == "minutes"])
    assert len(census.classes(minutes).size) == len(minutes)  # nobody needs a touch to keep within a rep's minutes
    every = census.classes(np.arange(len(problem.limits)))
    assert every.size.sum() == sets.hcp_count
    assert len(every.size) < sets.hcp_count / 2


def test_a_large_problem_is_diagnosed_too():
    problem = rep_bound_problem(1500)
    minimum = next(x for x in problem.limits if x.side == "min" and x.unit == "touches")
    tight = [replace(x, bound=1200.0) if x is minimum else x for x in problem.limits]
    found = diagnose(replace(problem, limits=tight))
    assert found["loosening"].max() == pytest.approx(1200 - 450, rel=1e-6)
    assert solve(loosened(replace(problem, limits=tight), found)).status == "optimal"
