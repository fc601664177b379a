"""A build over an earlier plan stays near it: what it keeps, what that costs, and which plan counts as the earlier one."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pandas as pd
import pytest
from odd_worlds import CYCLE_START, ordinary

VARIABLES = {"input_schema": "raw", "nba_cycle_start": CYCLE_START}
SHARES = {"first": 0.0, "moved": 0.05, "free": 0.0}
ACTIONS = "select hcp_id, channel, touches from published.recommendations order by all"
SUMMARY = "select objective - penalty as total, stability_cost, gap, solve_gap, upper_bound, status from published.plan_summary"


def other_beliefs():
    """The ordinary world with other uplifts: another plan would be best."""
    tables = {name: frame.copy() for name, frame in ordinary().items()}
    catalog = tables["engagement_action_catalog"].sort_values("channel", ignore_index=True)
    catalog["expected_uplift"] *= [1.6, 0.7, 1.4, 0.8, 1.5, 0.6]
    tables["engagement_action_catalog"] = catalog
    return tables


@pytest.fixture(scope="module")
def builds(run_dbt, write_inputs, read_table, tmp_path_factory) -> tuple[Path, dict[str, pd.DataFrame], dict[str, pd.Series], pd.DataFrame]:
    """Three builds of one cycle in one warehouse: a first plan, then two on other beliefs, near the first plan and free of it."""
    path = tmp_path_factory.mktemp("stability") / "nba.duckdb"
    actions, summaries, earlier = {}, {}, pd.DataFrame()
    for name, share in SHARES.items():
        if name != "free":
            write_inputs(path, ordinary() if name == "first" else other_beliefs())
        run_dbt(["build", "--quiet"], path, VARIABLES | {"nba_stability_share": share})
        actions[name] = read_table(path, ACTIONS)
        summaries[name] = read_table(path, SUMMARY).iloc[0]
        if name == "moved":
            earlier = read_table(path, "select * from staging.stg_published_plan order by all")
    return path, actions, summaries, earlier


def shared(one: pd.DataFrame, other: pd.DataFrame) -> int:
    return len(one.merge(other, on=["hcp_id", "channel"]))


def test_the_plan_published_before_is_the_earlier_one(builds):
    _, actions, _, earlier = builds
    pd.testing.assert_frame_equal(earlier, actions["first"], check_dtype=False)


def test_more_actions_stay_for_no_more_than_the_share(builds):
    _, actions, summaries, _ = builds
    free, moved = summaries["free"], summaries["moved"]
    assert summaries["first"]["stability_cost"] == free["stability_cost"] == 0
    assert 0 < moved["stability_cost"] <= SHARES["moved"] * abs(free["total"]) * (1 + 1e-9)
    assert moved["total"] + moved["stability_cost"] == pytest.approx(free["total"], rel=1e-9)
    assert shared(actions["moved"], actions["first"]) > shared(actions["free"], actions["first"])


def test_the_summary_says_the_gap_of_the_plan_and_of_the_solve(builds):
    _, _, summaries, _ = builds
    free, moved = summaries["free"], summaries["moved"]
    assert moved["solve_gap"] == pytest.approx(free["gap"], abs=1e-12)
    assert moved["gap"] == pytest.approx((moved["upper_bound"] - moved["total"]) / abs(moved["total"]), rel=1e-9)
    assert moved["gap"] > moved["solve_gap"]
    assert moved["status"] == free["status"]
    assert free["gap"] == free["solve_gap"]


def test_rollback_and_other_cycles_decide_which_plan_is_the_earlier_one(builds, run_dbt, read_table):
    """The log is written by hand here, as `nba rollback` and builds of other cycles would."""
    path, actions, _, _ = builds
    first, moved, free = read_table(path, "select run_id from memory.publications order by published_at")["run_id"]
    rows = {
        "rolled back to the first": (first, CYCLE_START, "rollback", "first"),
        "a later cycle was published": (moved, "2026-02-02", "publish", "first"),
        "back in an earlier cycle: this one is taken back": (free, "2025-12-08", "rollback", "free"),
        "this cycle was published again": (moved, CYCLE_START, "publish", "moved"),
    }
    for number, (run, cycle, action, wanted) in enumerate(rows.values()):
        with duckdb.connect(str(path)) as connection:
            connection.execute(
                "insert into memory.publications (run_id, cycle_start, published_at, action) "
                "select ?, cast(? as date), max(published_at) + interval (? + 1) second, ? from memory.publications",
                [run, cycle, number, action],
            )
        run_dbt(["run", "--quiet", "--select", "stg_published_plan"], path, VARIABLES | {"nba_stability_share": 0.0})
        found = read_table(path, "select * from staging.stg_published_plan order by all")
        pd.testing.assert_frame_equal(found, actions[wanted], check_dtype=False)
