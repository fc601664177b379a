"""Two cycles in one warehouse: the champion goes on and scores the same, is watched, and a second build of a cycle changes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest
from odd_worlds import ordinary
from published_content import published_hashes

from nba.learning.scoring import score_engagement

CYCLES = ("2025-12-08", "2026-01-05", "2026-01-05")
pytestmark = pytest.mark.long


def rows(path: Path, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute(query).fetchall()


@pytest.fixture(scope="module")
def builds(run_dbt, write_inputs, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict[str, str]]]:
    """Nobody has to be reached in the earlier cycle, in which few had consented."""
    path, hashes, tables = tmp_path_factory.mktemp("cycles") / "nba.duckdb", [], ordinary()
    world = {name: frame.copy() for name, frame in tables.items()}
    for name in ("rule_channel_capacity", "rule_coverage_floor"):
        world[name] = world[name].iloc[:0]
    write_inputs(path, world)
    for cycle in CYCLES:
        run_dbt(["build", "--quiet"], path, {"input_schema": "raw", "nba_cycle_start": cycle})
        hashes.append(published_hashes(path))
    return path, hashes


def test_the_champion_of_the_first_cycle_goes_on_without_a_fit(builds: tuple[Path, list]):
    path, _ = builds
    found = rows(path, "select cycle_start, stage, is_fitted, model_version from memory.model_versions order by 1, 3 desc")
    assert [(str(cycle), stage, fitted) for cycle, stage, fitted, _ in found] == [
        (CYCLES[0], "champion", True),
        (CYCLES[1], "champion", False),
        (CYCLES[1], "champion", False),
    ]
    assert len({version for *_, version in found}) == 1
    assert rows(path, "select distinct stage_reason from published.model_register where model = 'engagement'") == [
        ("kept: the last decision was to keep it",)
    ]


def test_a_model_of_memory_scores_the_pairs_of_a_later_run_to_the_same_bytes(builds: tuple[Path, list]):
    path, _ = builds
    with duckdb.connect(str(path), read_only=True) as connection:
        pairs = connection.execute("select * from features.feat_scoring order by hcp_id, channel").to_arrow_table()
        ours = connection.execute("select * from scores.score_engagement order by hcp_id, channel").to_arrow_table()
        texts = connection.execute("select model_json from memory.models").fetchall()
    assert len(texts) == 3 and len(set(texts)) == 1
    again = score_engagement(texts[0][0], pairs)
    for name in ours.column_names:
        assert again[name].to_pylist() == ours[name].to_pylist(), name


def test_a_second_build_of_the_cycle_changes_nothing(builds: tuple[Path, list]):
    _, (_, second, third) = builds
    assert {table for table in second if second[table] != third[table]} == set()


def test_what_was_measured_compares_the_cycles(builds: tuple[Path, list]):
    path, _ = builds
    measures = {name for (name,) in rows(path, "select distinct measure from published.monitoring_measures")}
    assert measures >= {"psi", "auc", "calibration", "plan_stability", "plan_mix", "kpi_trend", "touch_trend", "kpi_freshness"}
    assert rows(path, "select count(*) from published.drift_alerts where what_to_do is null or threshold is null") == [(0,)]
    decided = rows(path, "select decision, reason, cycles_old from published.retraining_decisions where model = 'engagement'")
    assert decided in ([("keep", "none", 2)], [("retrain", "drift", 2)], [("retrain", "performance", 2)])


def test_the_log_tells_of_the_promotion_once(builds: tuple[Path, list]):
    path, _ = builds
    told = rows(path, "select subject from memory.audit_log where event = 'model_promoted'")
    assert told == rows(path, "select distinct model_version from memory.model_versions")
