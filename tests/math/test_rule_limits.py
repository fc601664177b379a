"""Limits that HCPs share: budget, channel and rep capacity, coverage floors, and the stable names of limits."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from rule_world import CATALOG, HCPS, OPTED_IN, counted, limit_named, names, problem_of, world

from optimization.build import build_problem
from optimization.problem import PlanInputError, Problem


def shape(problem: Problem) -> dict[str, tuple[str, float, list[str]]]:
    return {limit.label: (limit.side, limit.bound, sorted(counted(problem, limit))) for limit in problem.limits}


EMAILS = ["a.email", "b.email", "c.email", "d.email"]
CALLS = ["a.call", "b.call", "c.call"]


@pytest.mark.parametrize(
    ("channel", "territory", "expected"),
    [
        pytest.param(None, None, {"total budget": sorted(EMAILS + CALLS)}, id="null is all together; web is free; d counts"),
        pytest.param("email", None, {"budget of E-mail": EMAILS}, id="channel"),
        pytest.param("email", "N", {"budget of E-mail in territory N": ["a.email", "b.email"]}, id="territory"),
        pytest.param(
            "email",
            "*",
            {"budget of E-mail in territory N": ["a.email", "b.email"], "budget of E-mail in territory S": ["c.email"]},
            id="* territory",
        ),
        pytest.param("*", None, {"budget of Rep visit": CALLS, "budget of E-mail": EMAILS, "budget of web": []}, id="* channel"),
        pytest.param("email", "X", {"budget of E-mail in territory X": []}, id="a territory without HCPs"),
    ],
)
def test_budget_scopes(channel, territory, expected):
    problem = problem_of(rule_budget=[{"channel": channel, "territory_id": territory, "max_cost": 50}])
    assert {label: pairs for label, (_, _, pairs) in shape(problem).items()} == expected
    assert {(limit.side, limit.unit, limit.bound) for limit in problem.limits} == {("max", "cost", 50.0)}


def test_budget_coefficients_are_unit_costs_of_eligible_pairs():
    problem = problem_of(rule_budget=[{"max_cost": 50}], rule_exclusion=[{"hcp_id": "a", "channel": None}])
    limit = limit_named(problem, "total budget")
    assert sorted(counted(problem, limit)) == ["b.call", "b.email", "c.call", "c.email", "d.email"]
    assert counted(problem, limit) == {"b.call": 100, "b.email": 1, "c.call": 100, "c.email": 1, "d.email": 1}


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (None, 5, {"capacity of E-mail": ("max", 5.0)}),
        (2, None, {"minimum of E-mail": ("min", 2.0)}),
        (2, 5, {"capacity of E-mail": ("max", 5.0), "minimum of E-mail": ("min", 2.0)}),
        (0, None, {}),
        (None, 0, {"capacity of E-mail": ("max", 0.0)}),
    ],
)
def test_channel_capacity_sides(low, high, expected):
    problem = problem_of(rule_channel_capacity=[{"channel": "email", "territory_id": None, "min_actions": low, "max_actions": high}])
    assert {limit.label: (limit.side, limit.bound) for limit in problem.limits} == expected
    assert all(limit.unit == "touches" and list(counted(problem, limit).values()) == [1, 1, 1, 1] for limit in problem.limits)


@pytest.mark.parametrize(
    ("rep", "territory", "channel", "expected"),
    [
        pytest.param("R1", None, None, {"minutes of rep R1": ["a.call"]}, id="that rep"),
        pytest.param(None, "N", None, {"minutes of the reps in territory N": ["a.call", "b.call"]}, id="one pool of the territory"),
        pytest.param(
            None,
            "*",
            None,
            {"minutes of the reps in territory N": ["a.call", "b.call"], "minutes of the reps in territory S": ["c.call"]},
            id="pools",
        ),
        pytest.param(
            "*",
            None,
            None,
            {"minutes of rep R1": ["a.call"], "minutes of rep R2": ["b.call"], "minutes of rep R3": ["c.call"]},
            id="every rep alone",
        ),
        pytest.param(
            "*",
            "N",
            None,
            {"minutes of rep R1 in territory N": ["a.call"], "minutes of rep R2 in territory N": ["b.call"]},
            id="every rep of the territory",
        ),
        pytest.param(None, None, None, {"minutes of all reps": CALLS}, id="all together"),
        pytest.param("R1", None, "call", {"minutes of rep R1 on Rep visit": ["a.call"]}, id="one channel"),
        pytest.param("R9", None, None, {"minutes of rep R9": []}, id="a rep without HCPs"),
    ],
)
def test_rep_capacity_scopes(rep, territory, channel, expected):
    row = {"rep_id": rep, "territory_id": territory, "channel": channel, "max_minutes": 45}
    problem = problem_of(rule_rep_capacity=[row])
    assert {limit.label: sorted(counted(problem, limit)) for limit in problem.limits} == expected
    assert all(
        limit.bound == 45 and limit.unit == "minutes" and set(counted(problem, limit).values()) <= {30.0} for limit in problem.limits
    )


def test_rep_minutes_and_actions_are_two_limits():
    problem = problem_of(rule_rep_capacity=[{"rep_id": "R1", "max_minutes": 45, "max_actions": 2}])
    assert [(limit.unit, limit.bound, list(counted(problem, limit).values())) for limit in problem.limits] == [
        ("minutes", 45, [30]),
        ("touches", 2, [1]),
    ]
    assert len({limit.limit_id for limit in problem.limits}) == 2


def test_a_rep_limit_on_another_channel_counts_actions_of_hcps_with_a_rep():
    problem = problem_of(rule_rep_capacity=[{"rep_id": None, "channel": "web", "max_actions": 2}])
    assert sorted(counted(problem, problem.limits[0])) == ["a.web", "b.web", "c.web"]


@pytest.mark.parametrize("channel", ["web", None])
def test_minutes_of_channels_that_take_none_are_an_error(channel):
    catalog = CATALOG if channel else CATALOG.assign(rep_minutes=0.0)
    with pytest.raises(PlanInputError, match=r"rule_rep_capacity.max_minutes: a limit of 45, but .* has rep_minutes 0"):
        problem_of(catalog=catalog, rule_rep_capacity=[{"rep_id": "R1", "channel": channel, "max_minutes": 45}])


@pytest.mark.parametrize(
    ("row", "expected", "bound"),
    [
        pytest.param({"channel": None}, CALLS, 2, id="null channel is any rep channel"),
        pytest.param({"channel": "*"}, None, 2, id="* is any channel"),
        pytest.param({"channel": "email", "territory_id": "N"}, ["a.email", "b.email"], 2, id="named channel and territory"),
        pytest.param({"channel": "call", "attribute": "specialty", "operator": "=", "value": "onco"}, ["a.call", "c.call"], 2, id="equals"),
        pytest.param({"channel": "call", "attribute": "specialty", "operator": "in", "value": "onco | cardio"}, CALLS, 2, id="in"),
        pytest.param({"channel": "web", "attribute": "decile", "operator": ">=", "value": "9"}, ["a.web", "d.web"], 2, id="at least"),
        pytest.param({"channel": "web", "attribute": "decile", "operator": "=", "value": "4.0"}, ["b.web"], 1, id="reachable is one"),
        pytest.param({"channel": "web", "attribute": "specialty", "operator": ">=", "value": "9"}, [], 0, id="text never matches >="),
        pytest.param(
            {"channel": "web", "attribute": "decile", "operator": ">=", "value": "high"}, [], 0, id="nor does a value that is no number"
        ),
    ],
)
def test_coverage_floor(row, expected, bound):
    problem = problem_of(rule_coverage_floor=[row | {"min_hcps": 2}])
    [limit] = problem.limits
    everything = names(problem, problem.eligible.nonzero()[0])
    assert sorted(counted(problem, limit)) == (everything if expected is None else expected)
    assert (limit.side, limit.unit, limit.counts, limit.hardness, limit.requested, limit.bound) == ("min", "hcps", "hcps", "soft", 2, bound)


def test_soft_floors_are_cut_to_what_is_reachable_and_hard_ones_are_not():
    rows = [{"channel": "call", "min_hcps": 9, "hardness": hardness} for hardness in ("soft", "hard")]
    soft, hard = problem_of(rule_coverage_floor=rows).limits
    assert (soft.hardness, soft.requested, soft.reachable, soft.bound) == ("soft", 9, 3, 3)
    assert (hard.hardness, hard.requested, hard.reachable, hard.bound) == ("hard", 9, 3, 9)


def test_floor_per_territory_and_per_value():
    problem = problem_of(rule_coverage_floor=[{"territory_id": "*", "channel": "call", "min_hcps": 1}])
    assert {limit.territory_id: sorted(counted(problem, limit)) for limit in problem.limits} == {"N": ["a.call", "b.call"], "S": ["c.call"]}
    problem = problem_of(rule_coverage_floor=[{"attribute": "specialty", "operator": "=", "value": "*", "channel": "call", "min_hcps": 1}])
    assert {limit.value: sorted(counted(problem, limit)) for limit in problem.limits} == {
        "cardio": ["b.call"],
        "onco": ["a.call", "c.call"],
    }


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"attribute": "zodiac", "operator": "=", "value": "x"}, "rule_coverage_floor.attribute: 'zodiac' is not a column of hcp_master"),
        ({"attribute": "decile", "operator": "<", "value": "x"}, "rule_coverage_floor.operator: '<' is none of =, >=, in"),
        ({"hardness": "firm"}, "rule_coverage_floor.hardness: 'firm' is neither soft nor hard"),
        ({"min_hcps": -1}, "rule_coverage_floor.min_hcps: -1 must be a finite number >= 0"),
        ({"min_hcps": "many"}, "rule_coverage_floor.min_hcps: 'many' is not a number"),
    ],
)
def test_coverage_floor_refuses(row, message):
    with pytest.raises(PlanInputError) as error:
        problem_of(rule_coverage_floor=[{"min_hcps": 1} | row])
    assert str(error.value) == message


def ids(**tables) -> dict[str, str]:
    return {limit.label: limit.limit_id for limit in problem_of(**tables).limits}


def test_limit_ids_survive_another_bound_and_other_rows():
    row = {"channel": "email", "territory_id": "N", "max_cost": 50.0}
    before = ids(rule_budget=[row])
    after = ids(
        rule_budget=[{"channel": None, "territory_id": None, "max_cost": 7.0}, row | {"max_cost": 60.0}],
        rule_channel_capacity=[{"channel": "email", "territory_id": "N", "max_actions": 3}],
        rule_exclusion=[{"hcp_id": "a", "channel": "email"}],
    )
    label = "budget of E-mail in territory N"
    assert before[label] == after[label]
    assert len(set(after.values())) == 3
    assert len(before[label]) == 16


def test_twin_limits_are_told_apart_by_bound_in_any_row_order():
    rows = [{"channel": "email", "max_cost": 50.0}, {"channel": "email", "max_cost": 60.0}]
    forward, backward = (problem_of(rule_budget=order).limits for order in (rows, rows[::-1]))
    assert {limit.bound: limit.limit_id for limit in forward} == {limit.bound: limit.limit_id for limit in backward}
    assert forward[0].limit_id != forward[1].limit_id


def test_floors_with_another_operator_or_channel_key_have_other_ids():
    base = {"attribute": "decile", "operator": "=", "value": "9", "min_hcps": 1}
    rows = [base, base | {"operator": ">="}, base | {"channel": "*"}]
    assert len({limit.limit_id for limit in problem_of(rule_coverage_floor=rows).limits}) == 3


def test_problem_arrays_are_in_order_of_hcp_and_channel():
    tables = world(hcps=HCPS.iloc[::-1])
    tables["scores"] = tables["scores"].assign(expected_impact=np.arange(12.0))
    problem = build_problem(tables, problem_of().settings)
    assert problem.hcp_ids.tolist() == ["a", "b", "c", "d"]
    assert problem.channels == ["call", "email", "web"]
    assert problem.value.tolist() == [10, 9, 11, 7, 6, 8, 4, 3, 5, 1, 0, 2]  # scores come as d, c, b, a x email, call, web
    assert (problem.territory.tolist(), problem.territory_names) == ([0, 0, 1, -1], ["N", "S"])
    assert (problem.rep.tolist(), problem.rep_names) == ([0, 1, 2, -1], ["R1", "R2", "R3"])
    assert problem.cost.tolist() == [100, 1, 0]
    assert problem.minutes.tolist() == [30, 0, 0]
    assert problem.most_touches.tolist() == [1, 1, 1]


def refuse(change, message):
    with pytest.raises(PlanInputError) as error:
        build_problem(change(world()), problem_of().settings)
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda t: t | {"scores": t["scores"].iloc[1:]},
            "scores.expected_impact: 1 pair(s) have no finite value, for example hcp_id a, channel email",
        ),
        (lambda t: t | {"scores": pd.concat([t["scores"], t["scores"].iloc[:1]])}, "scores: 1 pair(s) are there twice"),
        (lambda t: t | {"hcps": pd.concat([HCPS, HCPS.iloc[:1]])}, "hcps.hcp_id: a is there twice"),
        (lambda t: t | {"hcps": HCPS.iloc[:0]}, "hcps: no rows"),
        (lambda t: t | {"catalog": CATALOG.drop(columns="unit_cost")}, "catalog: column unit_cost is missing"),
        (lambda t: t | {"catalog": CATALOG.assign(unit_cost=[1, -1, 0])}, "catalog.unit_cost: -1 of call must be a finite number >= 0"),
        (
            lambda t: t | {"rule_holdout": pd.DataFrame({"arm": ["control"]})},
            "rule_holdout: the planner draws no arms; draw them first and give the problem to optimization.arms.with_arms",
        ),
        (lambda t: t | {"rule_exclusion": pd.DataFrame({"channel": ["web"]})}, "rule_exclusion: column hcp_id is missing"),
        (
            lambda t: t | {"rule_exclusion": pd.DataFrame({"hcp_id": ["a"], "channel": ["web"], "valid_to": ["soon"]})},
            "rule_exclusion.valid_to: 'soon' is not a date",
        ),
    ],
)
def test_tables_that_contradict_the_contract(change, message):
    refuse(change, message)


@pytest.mark.parametrize("make", ["object", "string", "category", "nan", "arrow"])
def test_frames_of_any_make_give_the_same_problem(make):
    tables = world(
        rule_exclusion=[{"hcp_id": "a", "channel": None, "valid_from": "2026-01-10", "valid_to": None}],
        rule_budget=[{"channel": None, "territory_id": "N", "max_cost": 50}],
        rule_consent=OPTED_IN,
    )
    remake = {
        "object": lambda f: f.astype(object).where(f.notna(), None),
        "string": lambda f: f.convert_dtypes(),
        "category": lambda f: f.assign(**{name: f[name].astype("category") for name in f.select_dtypes(["object", "str"])}),
        "nan": lambda f: f.astype(object).where(f.notna(), np.nan),
        "arrow": lambda f: f.convert_dtypes(dtype_backend="pyarrow"),
    }[make]
    plain = build_problem(tables, problem_of().settings)
    other = build_problem({name: remake(frame) for name, frame in tables.items()}, problem_of().settings)
    for part in ("earliest", "latest", "value", "cost", "minutes", "blocked_by", "territory", "rep"):
        assert getattr(plain, part).tolist() == getattr(other, part).tolist(), part
    assert [limit.limit_id for limit in plain.limits] == [limit.limit_id for limit in other.limits]


def test_ids_stay_text_whatever_their_type():
    hcps = pd.DataFrame({"hcp_id": ["001", "1"], "rep_id": [7.0, None]})
    problem = problem_of(hcps=hcps, rule_exclusion=[{"hcp_id": "1", "channel": None}])
    assert problem.hcp_ids.tolist() == ["001", "1"]
    assert (problem.rep.tolist(), problem.rep_names) == ([0, -1], ["7"])
    assert problem.eligible.tolist() == [True, False, True, False, False, False]  # 001 has no opt-in for email
