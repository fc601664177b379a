"""The serving file: what is published, as tables of a file that a reader may have open at any time. The tests share one house, in order."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest
from published_content import published_hashes
from publishing_house import House
from serving_house import build_serving_house, serving_file, start_reader

from nba import rollback, serving
from nba.errors import NbaError

LISTED = "select table_name, table_type from information_schema.tables where table_schema = 'published' order by 1"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    made = build_serving_house(tmp_path_factory.mktemp("house"))
    assert made.dbt("build").success
    return made


def in_file(house: House, query: str) -> list[tuple]:
    with duckdb.connect(str(serving_file(house)), read_only=True) as connection:
        return connection.execute(query).fetchall()


def state(house: House) -> tuple[int, int, int]:
    """What changes when the file is replaced."""
    found = serving_file(house).stat()
    return found.st_ino, found.st_mtime_ns, found.st_size


def test_it_holds_every_published_view_as_a_table_with_the_same_rows(house: House):
    views = {name for name, _ in house.rows(LISTED)}
    assert len(views) == len(list((house.folder / "models" / "published").glob("*.sql"))) > 15
    assert dict(in_file(house, LISTED)) == dict.fromkeys(views, "BASE TABLE")
    assert published_hashes(serving_file(house), exempt=set()) == published_hashes(house.db_path, exempt=set())
    assert in_file(house, "from published.plan_history order by all") == house.rows("from published.plan_history order by all")
    types = "select table_name, column_name, data_type from information_schema.columns where table_schema = 'published' order by all"
    assert in_file(house, types) == house.rows(types)
    assert house.rows("select is_written, tables from memory.serving_file") == [(True, len(views))]


def test_views_tables_and_the_file_carry_the_descriptions(house: House):
    manifest = house.dbt("parse").result
    described = (
        "select comment from {kind}() where database_name = current_database() and schema_name = '{schema}' and {kind_name} = '{name}'"
    )
    seen = 0
    for node in manifest.nodes.values():
        if node.resource_type != "model" or node.schema not in ("memory", "published"):
            continue
        kind = "duckdb_views" if node.schema == "published" else "duckdb_tables"
        query = described.format(kind=kind, kind_name=kind[7:-1] + "_name", schema=node.schema, name=node.alias)
        places = [(house.rows, query)]
        if node.schema == "published":
            places.append(
                (lambda text: in_file(house, text), query.replace("duckdb_views", "duckdb_tables").replace("view_name", "table_name"))
            )
        for read, text in places:
            assert node.description.strip()
            assert read(text) == [(node.description,)], node.name
            columns = dict(
                read(
                    f"select column_name, comment from duckdb_columns() where schema_name = '{node.schema}' and table_name = '{node.alias}'"
                )
            )
            assert columns == {name: column.description for name, column in node.columns.items()}, node.name
            assert all(text and text.strip() for text in columns.values()), node.name
            seen += 1
    assert seen > 50


def test_an_open_reader_keeps_its_plan_through_a_build_and_sees_the_new_one_on_reopening(house: House):
    first = house.built_run()
    reader, ask = start_reader(serving_file(house))
    try:
        assert ask("open") == "done"
        assert ask("read") == str((first, 1))
        assert house.dbt("build").success
        second = house.built_run()
        assert second != first
        assert ask("read") == str((first, 1))
        ask("close")
        ask("open")
        assert ask("read") == str((second, 1))
    finally:
        reader.kill()
        reader.wait()


def test_nobody_can_write_to_it(house: House):
    assert serving_file(house).stat().st_mode & 0o222 == 0


def test_a_build_of_less_than_everything_leaves_it_untouched(house: House):
    before = state(house)
    assert house.dbt("build", "--exclude", "memory__rejections").success
    assert house.rows("select decision from memory.publish order by run_id = (select run_id from checks.run_config) desc limit 1") == [
        ("not_a_full_build",)
    ]
    assert state(house) == before


def test_a_broken_promise_leaves_it_untouched_and_the_retry_replaces_it(house: House):
    before = state(house)
    house.promise(is_kept=False)
    assert not house.dbt("build").success
    assert state(house) == before
    house.promise(is_kept=True)
    assert house.dbt("retry").success
    assert in_file(house, "select run_id from published.plan_summary") == [(house.built_run(),)]


def test_rollback_brings_the_earlier_plan_back_into_the_file(house: House, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("NBA_DUCKDB_PATH", str(house.db_path))
    monkeypatch.setenv("DBT_PROFILES_DIR", str(house.folder))
    _, now = rollback.rollback(project_dir=house.folder)
    assert in_file(house, "select run_id from published.plan_summary") == [(now.run_id,)] != [(house.built_run(),)]
    assert published_hashes(serving_file(house), exempt=set()) == published_hashes(house.db_path, exempt=set())


def test_a_file_that_is_one_plan_behind_catches_up(house: House):
    """Emulated: the old file is put back, as if the build had died between moving the pointer and making the copy."""
    old = serving_file(house).read_bytes()
    assert house.dbt("build").success
    now = published_hashes(house.db_path, exempt=set())
    serving_file(house).unlink()
    serving_file(house).write_bytes(old)
    assert published_hashes(serving_file(house), exempt=set()) != now
    assert house.dbt("run", "--select", "serving_file").success
    assert published_hashes(serving_file(house), exempt=set()) == now == published_hashes(house.db_path, exempt=set())


def test_a_writer_killed_in_the_middle_leaves_the_old_file_and_the_next_one_cleans_up(house: House):
    before, path = state(house), serving_file(house)
    code = """
import os, sys, duckdb
from nba import serving
to_disk = serving.to_disk
serving.to_disk = lambda path: os.kill(os.getpid(), 9)
serving.refresh_serving_file(duckdb.connect(sys.argv[1]), ["recommendations", "plan_summary"])
"""
    killed = subprocess.run([sys.executable, "-c", code, str(house.db_path)], check=False)
    assert killed.returncode == -9
    assert state(house) == before
    left = [file for file in path.parent.iterdir() if file.name.startswith(f".{path.name}.")]
    assert left
    with duckdb.connect(str(house.db_path)) as connection:
        counts = serving.refresh_serving_file(connection, ["plan_summary", "not_there"])
    assert counts == {"plan_summary": 1}
    assert [name for name, _ in in_file(house, LISTED)] == ["plan_summary"]
    assert not [file for file in path.parent.iterdir() if file.name.startswith(f".{path.name}.")]


def test_a_failing_copy_leaves_the_old_file_and_nothing_beside_it(house: House, monkeypatch: pytest.MonkeyPatch):
    before, path = state(house), serving_file(house)

    def fail(written: Path) -> None:
        raise OSError(f"disk is full: {written}")

    monkeypatch.setattr(serving, "to_disk", fail)
    with duckdb.connect(str(house.db_path)) as connection, pytest.raises(OSError, match="disk is full"):
        serving.refresh_serving_file(connection, ["plan_summary"])
    assert state(house) == before
    assert not [file for file in path.parent.iterdir() if file.name.startswith(f".{path.name}.")]


def test_a_prefix_has_a_file_of_its_own_and_the_switch_takes_the_model_away(house: House):
    before, path = state(house), serving_file(house)
    assert house.dbt("build", nba_schema_prefix="trial_").success
    assert state(house) == before
    with duckdb.connect(str(path.with_name("trial_" + path.name)), read_only=True) as connection:
        assert connection.execute("select count(*) from trial_published.plan_summary").fetchall() == [(1,)]
    assert "model.nba.serving_file" not in house.dbt("parse", nba_serving_file=False).result.nodes


def test_a_second_build_beside_the_first_is_refused_in_words_or_waits(house: House):
    """Another process holds the file as a build does."""
    hold = "import sys, time, duckdb; con = duckdb.connect(sys.argv[1]); print('open', flush=True); time.sleep(60)"
    holder = subprocess.Popen([sys.executable, "-c", hold, str(house.db_path)], stdout=subprocess.PIPE, text=True)
    program = [str(Path(sys.executable).parent / "dbt"), "run", "--select", "run_config", "--vars", '{nba_cycle_start: "2026-01-05"}']
    environment = {**os.environ, "NBA_DUCKDB_PATH": str(house.db_path)}
    try:
        assert holder.stdout.readline() == "open\n"
        words = [*program, "--profiles-dir", str(house.folder)]
        refused = subprocess.run(words, cwd=house.folder, env=environment, capture_output=True, text=True, check=False)
        assert refused.returncode == 2
        assert f"{house.db_path} is in use by another process (PID {holder.pid}): a DuckDB file has one writer" in refused.stdout
        assert "Nothing was built. What to do: let the other one end" in refused.stdout
        assert "Traceback" not in refused.stdout + refused.stderr
        waiting = subprocess.Popen(
            words, cwd=house.folder, env={**environment, "NBA_BUILD_WAIT_SECONDS": "120"}, stdout=subprocess.PIPE, text=True
        )
        # dbt names what it found just before it opens the file
        assert any("Concurrency" in line for line in waiting.stdout)
        time.sleep(2)
        assert waiting.poll() is None
    finally:
        holder.kill()
        holder.wait()
    assert "Completed successfully" in waiting.stdout.read()
    assert waiting.wait() == 0


@pytest.mark.parametrize(
    ("given", "problem"),
    [("house.duckdb", "NBA_SERVING_PATH names the warehouse itself"), ("published.duckdb", "may not bear the name of its schema")],
)
def test_a_path_that_cannot_serve_is_refused(given: str, problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("NBA_SERVING_PATH", given)
    with pytest.raises(NbaError, match=problem):
        serving.serving_path(tmp_path / "house.duckdb", folder=tmp_path)
    monkeypatch.setenv("NBA_SERVING_PATH", "readers/plan.duckdb")
    assert serving.serving_path(tmp_path / "house.duckdb", "trial_", tmp_path) == tmp_path / "readers" / "trial_plan.duckdb"
