"""`nba export`: every published table of any target as files of one folder, whole or not at all."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from nba import export as exporting
from nba.cli import main
from nba.serving import refresh_serving_file

ROOT = Path(__file__).resolve().parents[2]
TABLES = {
    "plan_summary": "select cast('run 1' as text) as run_id, date '2026-01-05' as cycle_start, cast(2.5 as double precision) as objective",
    "recommendations": """
        select cast('001' as text) as hcp_id, cast('a "b", ä' as text) as summary, cast(1 as integer) as touches, true as is_rep,
            timestamp '2026-01-05 10:30:00.25' as published_at
        union all select '002', null, 3, null, null
    """,
    "pair_blocks": "select cast('001' as text) as hcp_id where 1 = 0",
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project that publishes three tables, and its warehouse."""
    folder = tmp_path / "project"
    (folder / "models" / "published").mkdir(parents=True)
    (folder / "dbt_project.yml").write_text("name: nba\nvars: {}\n")
    (folder / "profiles.yml").write_text((ROOT / "profiles.yml").read_text())
    for name in TABLES:
        properties = f"models: [{{name: published__{name}, config: {{alias: {name}}}}}]\n"
        (folder / "models" / "published" / f"published__{name}.yml").write_text(properties)
    monkeypatch.delenv("DBT_PROFILES_DIR", raising=False)
    monkeypatch.setenv("NBA_DUCKDB_PATH", str(folder / "nba.duckdb"))
    with duckdb.connect(str(folder / "nba.duckdb")) as connection:
        connection.execute("create schema published")
        for name, query in TABLES.items():
            connection.execute(f"create view published.{name} as {query}")
        connection.execute("create view published.of_another_project as select 1 as a")
    return folder


def run(project: Path, folder: Path, *words: str) -> int:
    return main(["export", str(folder), "--project-dir", str(project), *words])


def test_parquet_holds_every_row_and_the_manifest_says_what(project: Path, tmp_path: Path, capsys):
    folder = tmp_path / "out" / "deeper"
    assert run(project, folder) == 0
    assert f"Exported run run 1, cycle 2026-01-05: 3 tables, 3 rows, in {folder}." in capsys.readouterr().out
    manifest = json.loads((folder / "manifest.json").read_text())
    assert (manifest["run_id"], manifest["cycle_start"], manifest["format"]) == ("run 1", "2026-01-05", "parquet")
    assert {name: table["rows"] for name, table in manifest["tables"].items()} == {
        "pair_blocks": 0,
        "plan_summary": 1,
        "recommendations": 2,
    }
    assert {path.name for path in folder.iterdir()} == {"manifest.json", *(f"{name}.parquet" for name in TABLES)}
    for name, table in manifest["tables"].items():
        read = duckdb.sql(f"from '{folder / table['file']}' order by all").fetchall()
        assert read == duckdb.sql(f"from ({TABLES[name]}) order by all").fetchall()
        assert table["columns"] == {field.name: str(field.type) for field in pq.read_schema(folder / table["file"])}


def test_csv_tells_null_from_text(project: Path, tmp_path: Path):
    assert run(project, tmp_path / "out", "--format", "csv") == 0
    text = (tmp_path / "out" / "recommendations.csv").read_text()
    assert text.splitlines()[0] == '"hcp_id","summary","touches","is_rep","published_at"'
    assert '"a ""b"", ä"' in text
    assert '"002",,3,,' in text
    assert pyarrow.csv.read_csv(tmp_path / "out" / "pair_blocks.csv").num_rows == 0


def test_an_earlier_export_is_replaced_whole(project: Path, tmp_path: Path):
    folder = tmp_path / "out"
    assert run(project, folder) == 0
    assert run(project, folder, "--format", "csv") == 0
    assert {path.name for path in folder.iterdir()} == {"manifest.json", *(f"{name}.csv" for name in TABLES)}
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_files_of_others_are_never_touched(project: Path, tmp_path: Path, capsys):
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "mine.txt").write_text("kept")
    assert run(project, folder) == 1
    assert "holds files and is no earlier export" in capsys.readouterr().err
    (folder / "mine.txt").unlink()
    assert run(project, folder) == 0
    (folder / "mine.txt").write_text("kept")
    assert run(project, folder) == 1
    assert "such as mine.txt" in capsys.readouterr().err
    assert (folder / "mine.txt").read_text() == "kept"
    assert run(project, folder / "mine.txt") == 1
    assert "is a file: name a folder" in capsys.readouterr().err


def test_a_failure_leaves_the_earlier_export(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = tmp_path / "out"
    assert run(project, folder) == 0
    before = {path.name: path.read_bytes() for path in folder.iterdir()}

    def fail(path: Path, *given: object) -> int:
        path.write_text("half")
        raise OSError("disk is full")

    monkeypatch.setattr(exporting, "write_file", fail)
    assert run(project, folder, "--format", "csv") == 1
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_nothing_published_is_said(project: Path, tmp_path: Path, capsys, monkeypatch: pytest.MonkeyPatch):
    with duckdb.connect(str(project / "nba.duckdb")) as connection:
        connection.execute(
            "create or replace view published.plan_summary as select 'x' as run_id, date '2026-01-05' as cycle_start where 1 = 0"
        )
    assert run(project, tmp_path / "out") == 1
    assert "nothing is published in schema published: run `dbt build` first" in capsys.readouterr().err
    monkeypatch.setenv("NBA_DUCKDB_PATH", str(tmp_path / "none.duckdb"))
    assert run(project, tmp_path / "out") == 1
    assert not (tmp_path / "out").exists()


def test_while_another_process_writes_the_serving_file_is_read(project: Path, tmp_path: Path, capsys):
    with duckdb.connect(str(project / "nba.duckdb")) as connection:
        refresh_serving_file(connection, list(TABLES))
    hold = "import sys, time, duckdb; con = duckdb.connect(sys.argv[1]); print('open', flush=True); time.sleep(60)"
    holder = subprocess.Popen([sys.executable, "-c", hold, str(project / "nba.duckdb")], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout.readline() == "open\n"
        assert run(project, tmp_path / "out") == 0
        os.remove(project / "nba_published.duckdb")
        assert run(project, tmp_path / "out") == 1
        assert "is open in another process" in capsys.readouterr().err
    finally:
        holder.kill()
        holder.wait()


def test_postgres_gives_the_same_rows(project: Path, tmp_path: Path, postgres, monkeypatch: pytest.MonkeyPatch):
    postgres.create_database("export")
    postgres.run_sql("export", "create schema published")
    for name, query in TABLES.items():
        postgres.run_sql("export", f"create view published.{name} as {query}")
    for name, value in postgres.env("export").items():
        monkeypatch.setenv(name, value)
    assert run(project, tmp_path / "ours", "--target", "duckdb") == 0
    assert run(project, tmp_path / "theirs", "--target", "postgres") == 0
    for name in TABLES:
        ours, theirs = (duckdb.sql(f"from '{tmp_path / side / name}.parquet' order by all") for side in ("ours", "theirs"))
        assert theirs.fetchall() == ours.fetchall()
        assert theirs.columns == ours.columns
