"""Odd worlds: a valid plan, be it empty, or one clear stop that leaves what is published as it was. The builds share one warehouse file."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from odd_worlds import CYCLE_START, ODD_WORLDS, OddWorld, shuffled, staged
from published_content import published_hashes

from nba.plan_outputs import rows_of
from nba.planning import solve_plan

CONFIG = {"cycle_start": date(2026, 1, 5), "cycle_end": date(2026, 2, 2), "overlap": 0.1, "floor_penalty": None}
CONFIG |= {"gap": 1e-4, "node_limit": 2000, "seed": 7}
BUILT_ALWAYS = ("three_hcps_one_channel", "nothing_eligible", "hard_floor_above_reach")
WEEKLY = [name for name, world in ODD_WORLDS.items() if world.grain == "week"]
CONFLICTS = [name for name, world in ODD_WORLDS.items() if world.stops_at]
BUILT = [pytest.param(name, marks=() if name in BUILT_ALWAYS else pytest.mark.long) for name in ODD_WORLDS]


def solved(world: OddWorld, seed: int = 0) -> pa.Table:
    """`plan_solution` of a world, its rows in another order for another seed."""
    tables = staged(shuffled(world.tables(), seed))
    return solve_plan(tables, pd.DataFrame([CONFIG]), say=lambda line: None)


@pytest.mark.parametrize("name", [name for name in WEEKLY if name not in CONFLICTS])
def test_the_planner_answers_with_a_plan_that_proves_itself(name: str):
    world = ODD_WORLDS[name]
    found = solved(world)
    run, actions, pairs, conflicts = (rows_of(found, kind) for kind in ("run", "action", "pair", "conflict"))
    assert conflicts.empty, conflicts["problem"].tolist()
    run = run.iloc[0]
    assert run["status"] == "optimal"
    assert 0 <= run["gap"] <= 1.01e-4
    assert run["objective"] == pytest.approx(actions["plan_value"].sum())
    assert run["upper_bound"] >= run["objective"] - run["penalty"] - 1e-9
    assert (len(actions) > 0) == world.is_planned
    tables = world.tables()
    assert len(pairs) == len(tables["hcp_master"]) * len(tables["engagement_action_catalog"])
    planned = set(zip(actions["hcp_id"], actions["channel"], strict=True))
    eligible = pairs[pairs["is_eligible"].astype(bool)]
    assert planned <= set(zip(eligible["hcp_id"], eligible["channel"], strict=True))
    # every pair without an action has a reason
    assert pairs["reason_kind"].notna().sum() == len(pairs) - len(planned)


@pytest.mark.parametrize("name", ["ordinary", "twelve_channels"])
def test_the_order_of_rows_does_not_move_the_plan(name: str):
    first, second = (solved(ODD_WORLDS[name], seed).to_pandas() for seed in (1, 2))
    same = first["field"].astype(object) != "seconds"
    pd.testing.assert_frame_equal(first[same], second[same], check_exact=True)


@pytest.mark.parametrize("name", CONFLICTS)
def test_conflicting_rules_are_named_in_words_with_what_to_loosen(name: str):
    found = solved(ODD_WORLDS[name])
    conflicts = rows_of(found, "conflict")
    assert len(conflicts) > 0
    assert rows_of(found, "run")["actions"].iloc[0] == 0
    words = conflicts.reindex(columns=["rule", "label", "problem", "detail", "what_to_do"]).fillna("")
    text = "\n".join(words.agg(" ".join, axis=1))
    for said in ODD_WORLDS[name].says:
        assert said in text
    assert "infeasible" not in text.lower()


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("odd") / "nba.duckdb"


@pytest.mark.parametrize("name", BUILT)
def test_a_full_build_publishes_or_stops_with_words(name: str, warehouse: Path, run_dbt, write_inputs, read_table):
    world = ODD_WORLDS[name]
    before = published_hashes(warehouse, exempt=set()) if warehouse.exists() else None
    write_inputs(warehouse, world.tables())
    variables = {"input_schema": "raw", "nba_cycle_start": CYCLE_START, **world.variables}
    # the monthly cycle starts four days before the weekly one that may be published already
    past = {"nba_publish_past": True} if world.grain == "month" else {}
    result = run_dbt(["build", "--quiet"], warehouse, {**variables, **past}, check=not world.stops_at)
    if world.stops_at:
        (failed,) = [r for r in result.result.results if r.status in ("error", "fail")]
        assert failed.node.name == world.stops_at
        assert "Nothing was published" in failed.message
        assert all(said in failed.message for said in world.says), failed.message
        assert before is None or published_hashes(warehouse, exempt=set()) == before
        return
    (plan,) = read_table(warehouse, "published.plan_summary").to_dict("records")
    assert plan["run_id"] == read_table(warehouse, "checks.run_config")["run_id"].iloc[0]
    assert plan["status"] == "optimal"
    # worlds share a warehouse: the plan stays near the world's before, and only the solve without that is held to the gap
    assert 0 <= plan["solve_gap"] <= 1.01e-4
    planned = read_table(warehouse, "published.recommendations")
    assert len(planned) == plan["actions"]
    assert (len(planned) > 0) == world.is_planned
    tables = world.tables()
    pairs = len(tables["hcp_master"]) * len(tables["engagement_action_catalog"])
    assert len(read_table(warehouse, "published.hcp_channel_scores")) == pairs
    assert len(read_table(warehouse, "published.rejections")) == pairs - len(planned)
