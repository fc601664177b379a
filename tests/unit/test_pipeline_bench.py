"""The pipeline benchmark: every model has one stage, steps come before what needs them, answers are compared, targets can be missed."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from benchmarks.pipeline import feature_tables, summary
from benchmarks.pipeline.nodes import by_stage
from benchmarks.pipeline.peers.allocation import eligible, limits
from benchmarks.pipeline.run import Row, done_rows, rows_wanted, with_needed
from benchmarks.pipeline.stages import FEATURE_MODELS, FIGURES, KINDS, MODELS, ROOMS, STAGES, stage_of
from benchmarks.pipeline.tasks import code_hash, settle

ROOT = Path(__file__).resolve().parents[2]
# dbt takes every file of these folders for a model, so that this is the manifest without a parse.
FILES = [(folder, file) for folder in ("models", "python_models") for kind in ("sql", "py") for file in (ROOT / folder).glob(f"*/*.{kind}")]


def test_every_model_falls_into_exactly_one_stage():
    names = [stage.name for stage in STAGES]
    assert len(set(names)) == len(names)
    rooms = {file.parent.name for _, file in FILES}
    assert set(ROOMS) == rooms, "a room without a stage, or a stage of a room that is gone"
    found = {file.stem: stage_of("model", file.stem, file.parent.name) for _, file in FILES}
    assert set(found.values()) <= set(names)
    assert {*found.values(), *KINDS.values()} == set(names), "a stage that nothing belongs to"
    assert not list((ROOT / "models").glob("*/*/*.sql")), "a room within a room: node paths begin with the outer one"


def test_models_named_by_hand_exist_and_rooms_are_no_second_home():
    rooms = {file.stem: file.parent.name for _, file in FILES}
    assert set(MODELS) <= set(rooms) and set(FEATURE_MODELS) <= set(rooms)
    assert [name for name in MODELS if ROOMS[rooms[name]] == MODELS[name] and name != "plan_solution"] == []
    with pytest.raises(KeyError):
        stage_of("model", "anything", "no_room")


def test_stages_add_up_to_the_whole():
    nodes = [
        {"stage": "marts", "cpu_seconds": 1.0, "seconds": 2.0, "memory_mb": 10.0},
        {"stage": "marts", "cpu_seconds": 0.5, "seconds": 1.0, "memory_mb": 30.0},
        {"stage": "checks", "cpu_seconds": 2.0, "seconds": 2.0, "memory_mb": 20.0},
    ]
    stages = by_stage(nodes, {"cpu_seconds": 5.0, "seconds": 8.0, "memory_mb": 40.0})
    assert stages["marts"] == {"cpu_seconds": 1.5, "seconds": 3.0, "memory_mb": 30.0, "nodes": 2}
    assert sum(stage["cpu_seconds"] for stage in stages.values()) == 5.0 and stages["start-up"]["seconds"] == 3.0


def test_steps_run_before_what_needs_them_and_only_where_their_files_are_gone(tmp_path: Path):
    wanted = rows_wanted("features,score", "100", 52, 3, "10")
    steps = [row.task for row in with_needed(wanted, tmp_path)]
    assert steps == ["sample_cold", "simulate", "load", "refit", "features_pandas", "features_polars", "score"]
    for folder in ("100_52_3/refit", "sample"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "100_52_3" / "refit" / "nba.duckdb").touch()
    (tmp_path / "sample" / "compiled").write_text("of other code")
    assert [row.task for row in with_needed(wanted, tmp_path)] == ["features_pandas", "features_polars", "sample_cold", "score"]
    (tmp_path / "sample" / "compiled").write_text(code_hash())
    assert with_needed(wanted, tmp_path) == wanted
    assert [row.rows for row in rows_wanted("shap_ours", "100", 52, 3, "10,20")] == [10, 20]
    with pytest.raises(ValueError, match="task 'shape' must be one of all, sample"):
        rows_wanted("shape", "100", 52, 3, "10")


def test_a_step_leaves_its_warehouse_alone_and_the_last_one_nothing(tmp_path: Path):
    for step in ("refit", "score"):
        place = tmp_path / f"{step}.part"
        (place / "target").mkdir(parents=True)
        for name in ("nba.duckdb", "nba.duckdb.wal", "nba_published.duckdb"):
            (place / name).write_text(step)
        settle(step, tmp_path)
        settle(step, tmp_path)  # a second time finds nothing to do
    assert sorted(str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*")) == ["refit", "refit/nba.duckdb", "refit/nba.duckdb.wal"]


def test_errors_are_run_again(tmp_path: Path):
    file = tmp_path / "rows.jsonl"
    row = {"task": "refit", "hcps": 5, "weeks": 8, "seed": 1, "rows": 0}
    file.write_text(json.dumps(row | {"status": "error"}) + "\n")
    assert done_rows(file) == set()
    file.write_text(file.read_text() + json.dumps(row | {"status": "done"}) + "\n" + json.dumps(row | {"status": "error"}) + "\n")
    assert done_rows(file) == {Row("refit", 5, 8, 1, 0)}
    assert summary.read_rows(file)["refit", 5]["status"] == "done"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("", {}),
        ("update theirs set touches = 3 where hcp_id = 'a'", {"scoring.touches": 1}),
        ("update theirs set rate = 0.50001 where hcp_id = 'a'", {"scoring.rate": 1}),
        ("update theirs set rate = null where hcp_id = 'a'", {"scoring.rate": 1}),
        ("update theirs set kind = 'y' where hcp_id = 'b'", {"scoring.kind": 1}),
        ("alter table theirs drop column kind", {"scoring.kind": "missing"}),
    ],
)
def test_an_answer_that_differs_is_seen(tmp_path: Path, change: str, said: dict[str, object]):
    with duckdb.connect(str(tmp_path / "w.duckdb")) as connection:
        connection.execute("create schema features")
        rows = "('a', 'email', date '2026-01-05', 2, 0.5, 'x'), ('b', 'email', date '2026-01-05', 0, null, null)"
        connection.execute(
            f"create table features.feat_scoring as from (values {rows}) v(hcp_id, channel, snapshot_date, touches, rate, kind)"
        )
        connection.execute("alter table features.feat_scoring alter rate type double")
        connection.execute("create table theirs as from features.feat_scoring")
        if change:
            connection.execute(change)
        connection.execute(f"copy theirs to '{tmp_path / 'theirs.parquet'}' (format parquet)")
    found = feature_tables.differences(tmp_path / "w.duckdb", {"scoring": tmp_path / "theirs.parquet"})
    assert (found["rows"], found["unmatched"], found["differing"]) == (2, 0, said)


def test_the_script_keeps_to_consent_exclusions_and_access_and_knows_each_scope(tmp_path: Path):
    pairs = pd.DataFrame(
        {
            "hcp_id": ["a", "a", "b", "b", "c", "c"],
            "channel": ["email", "visit"] * 3,
            "unit_cost": [1.0, 100.0] * 3,
            "rep_minutes": [0.0, 30.0] * 3,
            "territory_id": ["T1", "T1", "T2", "T2", "T2", "T2"],
            "rep_id": ["R1", "R1", "R2", "R2", None, None],
            "rep_access": ["open", "open", "no_see", "no_see", "open", "open"],
        }
    )
    day = pd.Timestamp("2026-01-05")
    rules = {
        "exclusion": {"hcp_id": ["c"], "channel": ["email"], "valid_from": [day], "valid_to": [None]},
        "consent": {
            "hcp_id": ["a", "b", "b"],
            "channel": ["email"] * 3,
            "status": ["opt_in", "opt_in", "opt_out"],
            "captured_at": [day - pd.Timedelta(days=days) for days in (9, 8, 7)],
            "expires_at": [pd.NaT] * 3,
        },
        "access": {"rep_access": ["no_see"], "channel": ["visit"]},
        "budget": {"channel": [None, None], "territory_id": [None, "*"], "max_cost": [150.0, 101.0]},
        "channel_capacity": {"channel": ["email"], "territory_id": [None], "min_actions": [np.nan], "max_actions": [2.0]},
        "rep_capacity": {"rep_id": ["*"], "territory_id": [None], "channel": [None], "max_minutes": [30.0], "max_actions": [np.nan]},
        "contact_limit": {"channel": [None], "attribute": ["rep_access"], "value": ["no_see"], "max_actions": [1.0]},
    }
    for name, columns in rules.items():
        frame = pd.DataFrame(columns)
        for column in ("valid_from", "valid_to", "expires_at"):
            if column in frame:
                frame[column] = pd.to_datetime(frame[column])
        frame.to_parquet(tmp_path / f"rule_{name}.parquet")
    catalog = pd.DataFrame({"channel": ["email", "visit"], "requires_consent": [True, False]})
    assert eligible(tmp_path, pairs, catalog, day).tolist() == [True, True, False, False, False, False]
    found = [(rows.tolist(), low, high) for rows, _, low, high in limits(tmp_path, pairs)]
    budgets = [([0, 1, 2, 3, 4, 5], None, 150.0), ([0, 1], None, 101.0), ([2, 3, 4, 5], None, 101.0)]
    assert found == [*budgets, ([0, 2, 4], None, 2.0), ([1], None, 30.0), ([3], None, 30.0), ([2, 3], None, 1.0)]


def _build(task: str, size: int, stages: dict[str, float], **more: object) -> dict[str, object]:
    found = {name: {"cpu_seconds": cpu, "seconds": cpu, "memory_mb": 100.0, "nodes": 1} for name, cpu in stages.items()}
    total = sum(stages.values())
    row = {"task": task, "hcps": size, "rows": 0, "status": "done", "cpu_seconds": total, "seconds": total, "memory_mb": 200.0}
    return row | {"stages": found, "features": {"cpu_seconds": 2.0, "seconds": 2.0, "memory_mb": 50.0}} | more


def test_targets_are_judged_and_can_be_missed():
    rows = {
        ("score", 50_000): _build("score", 50_000, {"marts": 20.0, "impact": 50.0}),
        ("refit", 50_000): _build("refit", 50_000, {"marts": 20.0, "impact": 50.0}),
        ("load", 50_000): {"status": "done", "cpu_seconds": 30.0, "seconds": 30.0, "memory_mb": 10.0},
        ("handwritten", 50_000): {"status": "done", "cpu_seconds": 450.0, "seconds": 450.0, "memory_mb": 10.0},
        ("features_pandas", 50_000): {"status": "done", "cpu_seconds": 10.0},
    }
    found = {target: (said, is_met) for target, said, is_met in summary.verdicts(rows)}
    assert found["score, 50k HCPs: <= 45 CPU s"] == ("20 CPU s, 0.1 GB", True)
    assert found["the whole over the hand-written script, 50k HCPs: >= 5x"] == ("4.5x", False)
    assert found["features over pandas, 50,000 HCPs: >= 8x"] == ("5.0x", False)
    assert found["no stage grows faster than linearly from 50k to 1M"] == ("not run", None)
    for task in ("score", "refit"):
        rows[task, 1_000_000] = _build(task, 1_000_000, {"marts": 400.0, "impact": 1200.0})
    found = {target: (said, is_met) for target, said, is_met in summary.verdicts(rows)}
    assert found["no stage grows faster than linearly from 50k to 1M"] == ("impact N^1.06", False)
    assert found["score, 1M HCPs: <= 180 CPU s, <= 4 GB"][1] is False


def test_growth_is_the_slope_between_the_two_largest_sizes():
    assert summary.exponent([(10, 1.0), (100, 10.0), (1000, 1000.0)]) == pytest.approx(2.0)
    assert summary.exponent([(10, 1.0), (100, None)]) is None
    assert summary.exponent([(10, 0.1), (100, 0.9)]) is None
    assert summary.ratio(None, 1.0) is None and summary.ratio(6.0, 2.0) == 3.0
    assert FIGURES["impact"] == "refit" and FIGURES["scores"] == "score"
