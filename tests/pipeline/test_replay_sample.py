"""The sample's first run is built again to the same hashes after a second build with other inputs, on DuckDB and on PostgreSQL."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from postgres_server import PostgresServer

from nba.cli import main

ROOT = Path(__file__).resolve().parents[2]
PROJECT = ("models", "macros", "python_models", "seeds", "tests/generic", "tests/data", "dbt_project.yml", "profiles.yml")


def copy_of_project(folder: Path) -> Path:
    """The dbt project in a folder of its own, so that its sample can be changed."""
    for name in PROJECT:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name)
        else:
            shutil.copy(ROOT / name, folder / name)
    return folder


def build(project: Path, engine: str) -> None:
    """One whole `dbt build` in a process of its own."""
    words = ["build", "--target", engine, "--project-dir", str(project), "--profiles-dir", str(project), "--quiet"]
    words += ["--target-path", str(project / "target"), "--log-path", str(project / "logs")]
    done = subprocess.run(
        [sys.executable, "-c", "from dbt.cli.main import cli; cli()", *words], capture_output=True, text=True, cwd=project
    )
    assert done.returncode == 0, done.stdout[-3000:]


def change_budget(project: Path) -> None:
    """Another budget for the whole plan."""
    path = project / "seeds" / "rule_budget.csv"
    head, first, *rest = path.read_text().splitlines()
    path.write_text("\n".join([head, f"{first.rpartition(',')[0]},8100", *rest]) + "\n")


@pytest.mark.long
@pytest.mark.parametrize("engine", ["duckdb", "postgres"])
def test_the_first_run_is_built_again_alike_after_a_second_build(
    engine: str, postgres: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    postgres.create_database("replay")
    settings = {**postgres.env("replay"), "NBA_DUCKDB_PATH": str(tmp_path / "world.duckdb"), "OMP_NUM_THREADS": "1", "NBA_ACTOR": "anna"}
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))
    project = copy_of_project(tmp_path / "project")
    build(project, engine)
    change_budget(project)
    build(project, engine)
    place = ["--target", engine, "--project-dir", str(project)]
    assert main(["verify", *place]) == 0
    capsys.readouterr()
    assert main(["replay", "first", *place]) == 0
    assert "built again gives the same" in capsys.readouterr().out
    if engine == "postgres":
        left = postgres.run_sql("replay", "select nspname from pg_namespace where starts_with(nspname, 'nba_replay_')")
        assert left == []
        return
    # and it can tell: with one input cell changed behind its back the plan is another
    with duckdb.connect(str(tmp_path / "world.duckdb")) as con:
        (details,) = con.execute(
            "select details from memory.audit_log where event = 'inputs_fingerprinted' order by sequence limit 1"
        ).fetchone()
        kept = json.loads(details)["tables"]["engagement_action_catalog"]["kept_as"]
        con.execute(f'update kept."{kept}" set unit_cost = unit_cost * 2')
    assert main(["replay", "first", *place]) == 1
    found = capsys.readouterr()
    said = found.out
    assert not found.err, found.err
    assert "plan_summary: 1 rows then, 1 now; 2 rows stand on one side only" in said
