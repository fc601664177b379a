"""What an override costs at the prices: against every set of touches of every HCP, row by row, on small random worlds."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from every_plan import options_of
from rule_world import SETTINGS, problem_of, world
from test_rule_properties import SETTINGS as RANDOM_SETTINGS
from test_rule_properties import World

from optimization.arms import with_arms
from optimization.build import build_problem
from optimization.override_costs import COLUMNS, override_costs
from optimization.prices import LimitsConflict
from optimization.solve import solve


def tables_of(made, seed):
    """The tables of a random world, a pin of little value and three suppressions added; each decision has its own reason."""
    frames = {name: pd.DataFrame(rows).astype(object) for name, rows in made.tables.items() if rows}
    hcps, channels = list(frames["hcps"]["hcp_id"]), list(frames["catalog"]["channel"])
    rng = np.random.default_rng(seed)
    pairs = pd.DataFrame([(hcp, channel) for hcp in hcps for channel in channels], columns=["hcp_id", "channel"])
    frames["scores"] = pairs.assign(expected_impact=np.round(rng.gamma(2.0, 1.0, len(pairs)) - 0.4, 3))
    poorest = frames["scores"].sort_values("expected_impact")[["hcp_id", "channel"]].head(1).assign(action="pin")
    overrides = pd.concat([frames.get("rule_override"), poorest], ignore_index=True)
    some = pairs.iloc[np.sort(rng.choice(len(pairs), 3, replace=False))].assign(valid_to=pd.Timestamp("2026-06-30"))
    for name, rows in {"rule_override": overrides, "suppressions": some}.items():
        frames[name] = rows.reset_index(drop=True).assign(reason=[f"{name} {n}" for n in range(len(rows))])
    return frames


def best_by_definition(problem, price_of):
    """(hcps) the largest V(S) - sum of price x use over every allowed S, written out."""
    signed = np.array([price_of.get(x.limit_id, 0.0) * (1 if x.side == "max" else -1) for x in problem.limits])
    if not np.all(problem.eligible[problem.pins]):
        return None
    options = options_of(problem)
    return np.array([(each.value - each.use @ signed).max() if len(each.value) else -np.inf for each in options])


def test_the_cost_of_a_row_is_its_definition():
    checked, dear, kinds = 0, 0, set()
    for seed in range(24):
        frames = tables_of(World(seed), seed)
        problem = build_problem(frames, RANDOM_SETTINGS)
        try:
            solution = solve(problem)
        except LimitsConflict:
            continue
        price_of = {x.limit_id: float(y) for x, y in zip(problem.limits, solution.price, strict=True)}
        best = best_by_definition(problem, price_of)
        costs = override_costs(frames, RANDOM_SETTINGS, problem, price_of)
        assert np.allclose(best, solution.best, atol=1e-9)
        for row in costs.itertuples():
            table = row.reason.split()[0]
            rest = frames[table][frames[table]["reason"] != row.reason]
            without = best_by_definition(build_problem({**frames, table: rest}, RANDOM_SETTINGS), price_of)
            place = list(problem.hcp_ids).index(row.hcp_id)
            assert row.cost == pytest.approx(max(0.0, without[place] - best[place]), abs=1e-9), (seed, row)
            checked, dear = checked + 1, dear + (row.cost > 1e-6)
            kinds.add((row.action, row.cost > 1e-6))
    assert checked >= 50 and dear >= 15
    assert {("pin", True), ("forbid", True), ("suppress", True), ("forbid", False), ("suppress", False)} <= kinds


def override(**row):
    return {
        "hcp_id": "a",
        "channel": "web",
        "action": "forbid",
        "reason": None,
        "valid_from": None,
        "valid_to": None,
        "created_by": "m",
    } | row


def prices(problem):
    return {x.limit_id: float(y) for x, y in zip(problem.limits, solve(problem).price, strict=True)}


def costs_of(**tables):
    made = world(**tables)
    problem = build_problem(made, SETTINGS)
    return override_costs(made, SETTINGS, problem, prices(problem))


def test_two_decisions_about_one_hcp_are_each_priced_alone():
    """Web and call are worth 1 each and take 0.1 from each other: without one of the two forbids the HCP gets one of them beside e-mail."""
    found = costs_of(rule_override=[override(), override(channel="call")])
    assert found["cost"].tolist() == pytest.approx([0.9, 0.9])
    assert found["hcps"].tolist() == [1, 1]


def test_a_decision_about_everybody_adds_up_over_the_hcps():
    """d has no rep: three HCPs lose the call, each 1 less what it would have taken from e-mail and web."""
    row = override(hcp_id=None, channel="call", created_by="head office")
    found = costs_of(rule_override=[row])
    assert found[["hcp_id", "channel", "hcps", "is_estimate"]].values.tolist() == [[None, "call", 4, False]]
    assert found["cost"].tolist() == pytest.approx([3 * 0.8])
    made = world(rule_override=[row])
    problem = build_problem(made, SETTINGS)
    drawn = override_costs(made, SETTINGS, problem, {}, asked=2)
    assert drawn["is_estimate"].tolist() == [True]
    assert drawn["cost"].iloc[0] in (pytest.approx(2 * 0.8), pytest.approx(4 * 0.8))


def test_what_cannot_change_the_plan_costs_nothing():
    rows = [
        override(hcp_id="d", channel="call"),
        override(valid_to="2026-01-04"),
        override(valid_from="2026-02-02"),
        override(hcp_id="nobody"),
        override(channel="fax"),
    ]
    found = costs_of(rule_override=rows)
    assert found[["hcp_id", "channel", "cost"]].values.tolist() == [["d", "call", 0.0]]
    assert costs_of().columns.tolist() == COLUMNS


def test_an_arm_decides_before_an_override_does():
    made = world(rule_override=[override()])
    problem = with_arms(build_problem(made, SETTINGS), np.array([1, 0, 0, 0]))
    found = override_costs(made, SETTINGS, problem, prices(problem))
    assert found[["hcps", "cost"]].values.tolist() == [[0, 0.0]]


def test_a_dismissed_suggestion_is_left_alone_but_for_a_pin():
    rows = [{"hcp_id": "a", "channel": "web", "reason": "timing", "created_by": "R1", "valid_from": "2025-12-20", "valid_to": "2026-03-01"}]
    rows += [{"hcp_id": "b", "channel": "web", "reason": None, "created_by": None, "valid_from": None, "valid_to": "2026-01-10"}]
    problem = problem_of(suppressions=rows)
    names = {f"{h}.{c}": n for n, (h, c) in enumerate((h, c) for h in problem.hcp_ids for c in problem.channels)}
    assert not problem.eligible[names["a.web"]]
    assert problem.blockers[problem.blocked_by[names["a.web"]]] == "override"
    assert problem.blocks[-1].detail.tolist() == [
        "dismissed by R1 (timing): not suggested again up to 2026-03-01",
        "dismissed: not suggested again up to 2026-01-10",
    ]
    assert (problem.earliest[names["b.web"]], problem.latest[names["b.web"]]) == (6, 27)
    pinned = problem_of(suppressions=rows, rule_override=[override(action="pin")])
    assert pinned.eligible[names["a.web"]]
    assert solve(pinned).touches[names["a.web"]] == 1
    assert not problem_of(suppressions=rows, rule_override=[override(action="pin", valid_to="2026-01-04")]).eligible[names["a.web"]]
