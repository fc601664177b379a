"""The same inputs give the same published tables: in a fresh warehouse, in another order of rows, on two threads, over an earlier plan."""

from __future__ import annotations

from pathlib import Path

import pytest
from odd_worlds import CYCLE_START, ordinary, shuffled
from published_content import published_hashes

VARIABLES = {"input_schema": "raw", "nba_cycle_start": CYCLE_START}
KEYS = {
    "recommendations": "select recommendation_id from published.recommendations order by 1",
    "limits": "select limit_id from published.constraint_prices order by 1",
    "fingerprint": "select input_fingerprint from published.plan_summary",
}


# path; by build: hash by published table, keys by table, models that were left as they were
Builds = tuple[Path, list[dict[str, str]], list[dict[str, list[str]]], list[set[str]]]


@pytest.fixture(scope="module")
def builds(run_dbt, write_inputs, read_table, tmp_path_factory) -> Builds:
    """Three builds: the second in a fresh file, the third over the second; each with its rows in another order. One path: one parse."""
    path = tmp_path_factory.mktemp("repeated") / "nba.duckdb"
    hashes, keys, stayed = [], [], []
    for number, given in enumerate([[], ["--threads", "2"], []]):
        if number == 1:
            path.unlink()
        write_inputs(path, shuffled(ordinary(), seed=number))
        done = run_dbt(["build", "--quiet", *given], path, VARIABLES)
        stayed.append({result.node.name for result in done.result if result.message == "UNCHANGED"})
        hashes.append(published_hashes(path))
        keys.append({name: read_table(path, query).iloc[:, 0].tolist() for name, query in KEYS.items()})
    return path, hashes, keys, stayed


def test_a_fresh_warehouse_another_order_of_rows_and_two_threads_change_nothing(builds):
    _, (first, second, _), _, _ = builds
    assert {table for table in first if first[table] != second[table]} == set()
    assert {"recommendations", "hcp_channel_scores", "model_performance", "plan_history"} <= set(first)
    assert int(first["recommendations"].split()[0]) > 20


def test_a_build_over_an_earlier_plan_changes_nothing(builds):
    _, (first, _, third), _, _ = builds
    assert {table for table in first if first[table] != third[table]} == set()


def test_that_build_left_staged_and_feature_tables_as_they_were(builds):
    _, _, _, (first, second, third) = builds
    assert first == second == set()
    assert {"stg_kpi", "stg_engagement", "feat_hcp", "feat_hcp_channel", "feat_scoring", "feat_churn"} <= third


def test_keys_and_fingerprint_are_the_same_text(builds):
    _, _, (first, second, third), _ = builds
    assert first == second == third
    assert len(first["fingerprint"]) == 1
    assert len(first["fingerprint"][0]) == 64


def test_the_earlier_run_stays_in_the_history(builds, read_table):
    path, _, _, _ = builds
    history = read_table(path, "published.plan_history")
    assert len(history) == 2
    assert sorted(history["is_published"]) == [False, True]
    assert history["input_fingerprint"].nunique() == history["objective"].nunique() == 1
