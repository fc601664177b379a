"""The materialization kept_while_unchanged on a DuckDB file: when a table stays as it is, and when it is made again.

What the table reads is changed behind dbt's back in each step, so its one value tells whether it was made again.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest

ROOT = Path(__file__).resolve().parents[2]
MODELS = {
    "checks/run_config": "select '{{ invocation_id }}' as run_id, {{ var('window', 1) }} as window_short",
    "plan/input_fingerprint": "select '{{ var('inputs', 'a') }}' as input_fingerprint, '{{ var('code', '1') }}' as code_version",
    "features/counted": """{{ config(materialized='kept_while_unchanged') }}
-- depends_on: {{ ref('run_config') }}
-- depends_on: {{ ref('input_fingerprint') }}
select value {{ ', nothing_such' if var('is_broken', false) }} from raw.given""",
}
PROJECT = """
name: nba
version: "1.0.0"
profile: nba
on-run-start: ["create table if not exists {{ makings() }} (table_name text not null, made_from text not null)"]
models:
  nba:
    +materialized: table
    checks: {+schema: checks}
    plan: {+schema: plan}
    features: {+schema: features}
"""


class SmallProject:
    """A project of three models with the macros of ours, over the table raw.given of one value."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.value = 0
        shutil.copytree(ROOT / "macros", folder / "macros")
        # their arguments are described for models that are not here
        for described in (folder / "macros").rglob("*.yml"):
            described.unlink()
        shutil.copy(ROOT / "profiles.yml", folder)
        (folder / "dbt_project.yml").write_text(PROJECT)
        for name, sql in MODELS.items():
            (folder / "models" / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / "models" / f"{name}.sql").write_text(sql)

    @property
    def path(self) -> Path:
        return self.folder / "small.duckdb"

    def build(self, *more: str, **variables: Any) -> bool:
        """Another value in raw.given, then one build; whether it went through."""
        from dbt.adapters.duckdb.connections import DuckDBConnectionManager
        from dbt.cli.main import dbtRunner

        self.value += 1
        with duckdb.connect(str(self.path)) as connection:
            connection.execute("create schema if not exists raw")
            connection.execute(f"create or replace table raw.given as select {self.value} as value")
        places = ["--project-dir", str(self.folder), "--profiles-dir", str(self.folder)]
        before = os.environ.get("NBA_DUCKDB_PATH")
        os.environ["NBA_DUCKDB_PATH"] = str(self.path)
        try:
            return dbtRunner().invoke(["build", "--quiet", *more, "--vars", json.dumps(variables), *places]).success
        finally:
            DuckDBConnectionManager.close_all_connections()
            os.environ.pop("NBA_DUCKDB_PATH") if before is None else os.environ.__setitem__("NBA_DUCKDB_PATH", before)

    def is_new(self) -> bool:
        """Whether the table holds what raw.given holds since the last build."""
        with duckdb.connect(str(self.path), read_only=True) as connection:
            return connection.execute("select value from features.counted").fetchall() == [(self.value,)]


@pytest.fixture
def small(tmp_path: Path) -> SmallProject:
    project = SmallProject(tmp_path)
    assert project.build()
    assert project.is_new()
    return project


def test_it_stays_while_inputs_code_and_settings_are_the_same(small):
    assert small.build()
    assert not small.is_new()
    # and once more: it is remembered from the build that made it
    assert small.build()
    assert not small.is_new()


@pytest.mark.parametrize("changed", [{"inputs": "b"}, {"code": "2"}, {"window": 2}, {"nba_any": 1}])
def test_it_is_made_again_where_one_of_them_changes(small, changed):
    assert small.build(**changed)
    assert small.is_new()
    assert small.build(**changed)
    assert not small.is_new()
    assert small.build()
    assert small.is_new()


def test_a_full_refresh_makes_it_again(small):
    assert small.build("--full-refresh")
    assert small.is_new()
    assert small.build()
    assert not small.is_new()


def test_a_part_of_a_build_makes_it_again_and_leaves_nothing_to_rely_on(small):
    assert small.build("--select", "counted")
    assert small.is_new()
    assert small.build()
    assert small.is_new()


def test_a_failing_build_leaves_the_table_and_what_it_was_made_from(small):
    assert not small.build(is_broken=True)
    with duckdb.connect(str(small.path), read_only=True) as connection:
        assert connection.execute("select value from features.counted").fetchall() == [(1,)]
    assert small.build()
    assert not small.is_new()


def test_a_table_that_is_gone_is_made_again(small):
    with duckdb.connect(str(small.path)) as connection:
        connection.execute("drop table features.counted")
    assert small.build()
    assert small.is_new()
