"""Arms through the planner's door: the draw put onto the problem, the kinds `explore` and `shadow` of the solution, refusals as rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from plan_world import config, world

from nba.plan_outputs import rows_of
from nba.planning import solve_plan


def solved_with(arms, holdout, rules=None, **changes):
    tables = world(rules) | {"draw_arms": pd.DataFrame(list(arms.items()), columns=["hcp_id", "arm"])}
    tables["stg_rule_holdout"] = pd.DataFrame(holdout, columns=["arm", "share", "unit", "redraw_cycles", "resource_share"])
    return solve_plan(tables, config(**changes), lambda line: None)


BOTH = [("control", 0.3, "hcp", 6, None), ("explore", 0.3, "hcp", 6, 1.0)]
ARMS = {"h1": "control", "h2": "explore", "h3": "plan"}


def test_controls_get_nothing_and_their_shadow_is_told():
    table = solved_with(ARMS, BOTH)
    actions = rows_of(table, "action")
    assert "h1" not in set(actions["hcp_id"])
    assert rows_of(table, "shadow")[["hcp_id", "channel"]].to_numpy().tolist() == [["h1", "visit"]]
    pairs = rows_of(table, "pair").set_index(["hcp_id", "channel"])
    assert pairs.loc["h1", "reason_kind"].tolist() == ["holdout", "holdout"]
    assert pairs.loc["h1", "value_short"].isna().all()
    assert pairs.loc["h1", "is_eligible"].tolist() == [True, True]


def test_explore_rows_are_the_distribution_and_what_was_drawn_is_planned():
    table = solved_with(ARMS, BOTH)
    explore = rows_of(table, "explore")
    assert explore["channel"].tolist() == ["mail", "visit", "none"]
    assert explore["number"].tolist() == pytest.approx([1 / 3] * 3)
    assert explore["touches"].tolist().count(1) == 1
    assert set(explore["detail"]) == {"exact"}
    drawn = explore.loc[explore["touches"] == 1, "channel"].iloc[0]
    actions = rows_of(table, "action")
    mine = actions.loc[actions["hcp_id"] == "h2", ["channel", "touches"]].to_numpy().tolist()
    assert mine == ([] if drawn == "none" else [[drawn, 1]])
    run = rows_of(table, "run").iloc[0]
    assert run["objective"] == pytest.approx(actions["plan_value"].sum())
    assert run["upper_bound"] >= run["objective"] - 1e-9


def test_over_seeds_the_draw_follows_its_distribution():
    drawn = []
    for seed in range(120):
        explore = rows_of(solved_with(ARMS, BOTH, seed=seed, step_limits=0), "explore")
        drawn.append(explore.loc[explore["touches"] == 1, "channel"].iloc[0])
    for channel in ("mail", "visit", "none"):
        assert abs(drawn.count(channel) / 120 - 1 / 3) < 4 * np.sqrt(2 / 9 / 120)


def test_without_arms_the_table_is_what_it_was():
    plain = solve_plan(world(), config(), lambda line: None).to_pandas()
    armed = solved_with(dict.fromkeys(ARMS, "plan"), []).to_pandas()
    same = plain["field"].astype(object) != "seconds"
    pd.testing.assert_frame_equal(plain[same], armed[same], check_exact=True)


@pytest.mark.parametrize(
    ("arms", "holdout", "rules", "problem"),
    [
        ({"h1": "plan", "h2": "plan"}, BOTH, None, "draw_arms: hcp_id h3 has no arm"),
        (ARMS, BOTH[:1], None, "rule_holdout.resource_share: the row of the arm explore needs one in [0, 1]"),
        (
            ARMS,
            BOTH,
            {"override": [{"hcp_id": "h1", "channel": "mail", "action": "pin"}]},
            "rule_override: the pin of h1 by mail is of an HCP outside the arm plan; leave it out of the draw",
        ),
    ],
)
def test_tables_that_do_not_fit_are_a_conflict_row(arms, holdout, rules, problem):
    assert rows_of(solved_with(arms, holdout, rules), "conflict")["problem"].tolist() == [problem]


def test_rules_without_a_draw_are_a_conflict_row():
    tables = world() | {"stg_rule_holdout": pd.DataFrame([{"arm": "control", "share": 0.1}])}
    table = solve_plan(tables, config(), lambda line: None)
    assert "none were drawn" in rows_of(table, "conflict")["problem"].iloc[0]
