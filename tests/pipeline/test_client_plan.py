"""A build that plans on the client stops with what to do, goes on after `nba plan`, and takes no solution of another run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from folders import WEEKS, good_tables, week, write_folder

from nba.cli import main
from nba.project import find_project

ROOT = find_project(Path(__file__).parent)
SWITCHES = f"{{input_schema: raw, nba_cycle_start: '{week(WEEKS)}', nba_training_snapshots: 3, nba_plan_on: client}}"
WITHOUT_TESTS = ("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test")  # quicker, and publishes nothing


def _dbt(folder: Path, *words: str) -> str:
    places = {"NBA_DUCKDB_PATH": str(folder / "nba.duckdb"), "DBT_PROFILES_DIR": str(ROOT), "OMP_NUM_THREADS": "1"}
    left = ["--project-dir", str(ROOT), "--target-path", str(folder / "target"), "--log-path", str(folder / "logs")]
    command = [str(Path(sys.executable).with_name("dbt")), *words, *left]
    return subprocess.run(command, cwd=folder, env=os.environ | places, capture_output=True, text=True, check=False).stdout


@pytest.mark.parametrize("is_whole", [False, pytest.param(True, marks=pytest.mark.long)])
def test_a_build_stops_for_the_client_and_goes_on_with_its_plan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], is_whole: bool
) -> None:
    file = tmp_path / "nba.duckdb"
    monkeypatch.setenv("NBA_DUCKDB_PATH", str(file))
    monkeypatch.setenv("DBT_PROFILES_DIR", str(ROOT))
    project = ["--project-dir", str(ROOT)]
    assert main(["load", str(write_folder(tmp_path / "folder", good_tables())), *project]) == 0
    assert main(["plan", *project]) == 1
    assert "run dbt build --vars '{nba_plan_on: client}' first" in capsys.readouterr().err

    said = _dbt(tmp_path, "build", *([] if is_whole else WITHOUT_TESTS), "--vars", SWITCHES)
    assert "What to do: nba plan --target duckdb, then dbt retry. Nothing was published." in said
    with duckdb.connect(str(file), read_only=True) as connection:
        assert connection.execute("select count(*) from memory.publications").fetchone() == (0,)

    assert main(["plan", *project]) == 0
    assert "Go on with: dbt retry" in capsys.readouterr().out
    said = _dbt(tmp_path, "retry")
    assert ("Published: run " if is_whole else "Not published: only `dbt build` without a selection publishes.") in said, said[-3000:]
    with duckdb.connect(str(file), read_only=True) as connection:
        room = "published" if is_whole else "memory"
        actions, gap, run_id = connection.execute(f"select actions, gap, run_id from {room}.plan_summary").fetchone()
        assert actions > 0 and 0 <= gap <= 1.01e-4
        assert connection.execute("select run_id from plan.client_run").fetchall() == [(run_id,)]
        solved = "select * from plan.client_solution"
        assert connection.execute(f"select count(*) from ({solved} except all select * from plan.plan_solution)").fetchone() == (0,)

    with duckdb.connect(str(file)) as connection:  # as a later build would find it
        connection.execute("update plan.client_run set run_id = 'of another build'")
    assert f"The plan of run {run_id} is to be made on the client" in _dbt(tmp_path, "run", "--select", "plan_solution", "--vars", SWITCHES)
