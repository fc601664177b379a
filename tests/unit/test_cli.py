"""The command line: light help, exit statuses, and messages instead of tracebacks."""

# ruff: noqa: E501 - texts that the user sees stay on one line
from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from nba.cli import main, run_safely
from nba.errors import NbaError
from nba.load.closing import build_line, next_cycle_start
from nba.load.command import LoadRequest, parse_switches
from nba.project import built_schemas, find_project, read_contract
from nba.warehouse import resolve_target

ROOT = find_project(Path(__file__).parent)
HEAVY = ("duckdb", "dbt", "numpy", "pandas", "pyarrow", "yaml", "sklearn", "numba", "jinja2")


@pytest.fixture
def warehouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NBA_DUCKDB_PATH", str(tmp_path / "folder" / "nba.duckdb"))
    monkeypatch.delenv("DBT_PROFILES_DIR", raising=False)
    monkeypatch.chdir(ROOT)
    return tmp_path / "folder" / "nba.duckdb"


def test_help_is_quick_and_imports_nothing_heavy() -> None:
    code = f"import sys\nfrom nba.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass\nprint([name for name in {HEAVY} if name in sys.modules])"
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.stdout.splitlines()[-1] == "[]"
    for command in ("load", "init-rules", "simulate"):
        assert command in done.stdout
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime <= 0.5


def test_wrong_command_line_exits_2(capsys: pytest.CaptureFixture[str]) -> None:
    for words in ([], ["lod"], ["load"], ["load", "a", "--nonsense"]):
        with pytest.raises(SystemExit) as stopped:
            main(words)
        assert stopped.value.code == 2
    assert "usage: nba" in capsys.readouterr().err


def test_errors_become_messages(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    def fail(error: BaseException) -> int:
        def run(_: argparse.Namespace) -> int:
            raise error

        return run_safely(run, argparse.Namespace(command="load", debug=False))

    assert fail(NbaError("the folder x is missing")) == 1
    assert capsys.readouterr().err == "nba load: the folder x is missing\n"
    assert fail(ZeroDivisionError("division\nby zero")) == 3
    assert capsys.readouterr().err == f"nba load: unexpected ZeroDivisionError: division by zero. Log: {tmp_path / 'logs' / 'nba.log'}\n"
    assert "Traceback" in (tmp_path / "logs" / "nba.log").read_text()
    assert fail(KeyboardInterrupt()) == 130
    assert run_safely(lambda _: 0, argparse.Namespace(command="load", debug=False)) == 0


def test_debug_prints_the_traceback(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    def run(_: argparse.Namespace) -> int:
        raise ZeroDivisionError("division by zero")

    assert run_safely(run, argparse.Namespace(command="load", debug=True)) == 3
    assert "Traceback" in capsys.readouterr().err


def test_init_rules_creates_only_what_is_missing(warehouse: Path, capsys: pytest.CaptureFixture[str]) -> None:
    warehouse.parent.mkdir()
    with duckdb.connect(str(warehouse)) as con:
        con.execute(
            "create schema mine; create table mine.rule_budget as select 'email' as channel, null::text as territory_id, 5.0::double as max_cost"
        )
    assert main(["init-rules", "--schema", "mine"]) == 0
    names = [table.name for table in read_contract(ROOT).rules]
    assert capsys.readouterr().out == f"Created empty in schema mine: {', '.join(name for name in names if name != 'rule_budget')}.\n"
    assert main(["init-rules", "--schema", "mine"]) == 0
    assert capsys.readouterr().out == "Schema mine has all rule tables already; nothing was created.\n"
    with duckdb.connect(str(warehouse)) as con:
        assert con.sql("select * from mine.rule_budget").fetchall() == [("email", None, 5.0)]
        types = con.sql(
            "select column_name, data_type from information_schema.columns where table_name = 'rule_consent' order by ordinal_position"
        ).fetchall()
    assert types == [
        ("hcp_id", "VARCHAR"),
        ("channel", "VARCHAR"),
        ("status", "VARCHAR"),
        ("captured_at", "TIMESTAMP"),
        ("expires_at", "DATE"),
    ]


def test_schemas_of_the_build_are_refused(warehouse: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert built_schemas(ROOT) >= {"sample", "base", "checks", "staging", "memory", "published"}
    for words in (["init-rules", "--schema", "published"], ["load", ".", "--schema", "sample"]):
        assert main(words) == 1
        assert capsys.readouterr().err == f"nba {words[0]}: schema {words[-1]} is written by the build itself: choose another --schema\n"
    assert main(["load", ".", "--schema", "Raw data"]) == 1
    assert capsys.readouterr().err == "nba load: --schema 'Raw data' is no schema name: use small letters, digits and underscores\n"
    assert not warehouse.exists()


def test_targets_that_do_not_work_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBT_PROFILES_DIR", str(tmp_path))
    (tmp_path / "profiles.yml").write_text(
        "nba:\n  target: duckdb\n  outputs:\n    duckdb: {type: duckdb, path: \"{{ env_var('NBA_TEST_PATH', 'a/b.duckdb') }}\"}\n"
        "    big: {type: bigquery, host: h}\n    memory: {type: duckdb, path: ':memory:'}\n    needy: {type: duckdb, path: \"{{ env_var('NBA_TEST_NEEDED') }}\"}\n"
    )
    assert resolve_target(None, ROOT).path == ROOT / "a" / "b.duckdb"
    monkeypatch.setenv("NBA_TEST_PATH", str(tmp_path / "c.duckdb"))
    assert resolve_target("duckdb", ROOT).path == tmp_path / "c.duckdb"
    messages = {
        "big": "target big is of type bigquery: this command works with duckdb, postgres, snowflake targets",
        "memory": "target memory has the path :memory:: this command needs a DuckDB file",
        "needy": f"{tmp_path / 'profiles.yml'} needs the environment variable NBA_TEST_NEEDED, which is not set",
        "snowflake": f"there is no target snowflake in {tmp_path / 'profiles.yml'}. Targets there: duckdb (duckdb), big (bigquery), memory (duckdb), needy (duckdb). "
        "This command works with duckdb, postgres, snowflake targets",
    }
    for target, message in messages.items():
        with pytest.raises(NbaError) as raised:
            resolve_target(target, ROOT)
        assert str(raised.value) == message


def test_locked_file_names_the_other_process(warehouse: Path, capsys: pytest.CaptureFixture[str]) -> None:
    warehouse.parent.mkdir()
    code = f"import duckdb\ncon = duckdb.connect({str(warehouse)!r})\nprint('open', flush=True)\ninput()"
    holder = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "open\n"
        assert main(["init-rules"]) == 1
        assert capsys.readouterr().err == (
            f"nba init-rules: {warehouse} is open in another process (PID {holder.pid}): close it (a DuckDB file has one writer) and run again\n"
        )
    finally:
        holder.communicate("\n")


def test_no_project_is_a_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_project(ROOT / "nba" / "load") == ROOT
    (tmp_path / "dbt_project.yml").write_text("name: other\n")
    assert find_project(tmp_path) == ROOT
    monkeypatch.setattr("nba.project._is_project", lambda folder: False)
    with pytest.raises(NbaError, match=r"found no dbt project of the name nba in"):
        find_project(tmp_path)


def test_vars_must_be_a_mapping() -> None:
    assert parse_switches("{unknown_hcp: drop, nba_cycle_start: 2026-01-05}") == {"unknown_hcp": "drop", "nba_cycle_start": "2026-01-05"}
    with pytest.raises(NbaError, match=r"--vars is not a mapping: drop"):
        parse_switches("drop")
    with pytest.raises(NbaError, match=r"--vars is not valid YAML: {a"):
        parse_switches("{a")
    with pytest.raises(NbaError, match=r"--vars names input_schema other, but the tables go into schema raw: give --schema instead"):
        LoadRequest(folder=Path("."), switches={"input_schema": "other"})


def test_next_line_is_a_command_that_parses() -> None:
    import shlex
    from datetime import date

    import yaml

    assert next_cycle_start(date(2025, 12, 29), "week") == "2026-01-05"
    assert next_cycle_start(date(2025, 12, 1), "month") == "2026-01-01"
    assert next_cycle_start(date(2025, 1, 1), "month") == "2025-02-01"
    assert next_cycle_start(None, "week") == "YYYY-MM-DD"
    plain = build_line("raw", "2026-01-05", {}, None)
    assert plain == "dbt build --vars '{input_schema: raw, nba_cycle_start: \"2026-01-05\"}'"
    full = build_line("own", "2026-01-05", {"unknown_hcp": "drop", "hcp_attributes": ["a b", "it's"], "nba_overlap": 0.2}, "duck db")
    words = shlex.split(full)
    assert words[:4] == ["dbt", "build", "--target", "duck db"]
    assert yaml.safe_load(words[5]) == {
        "input_schema": "own",
        "unknown_hcp": "drop",
        "hcp_attributes": ["a b", "it's"],
        "nba_overlap": 0.2,
        "nba_cycle_start": "2026-01-05",
    }


def test_package_script_is_the_same_door() -> None:
    script = Path(sys.executable).parent / "nba"
    if not script.exists():
        pytest.skip("the package is not installed in this environment")
    done = subprocess.run(
        [script, "load", "/nowhere"], capture_output=True, text=True, cwd=ROOT, env={**os.environ, "NBA_DUCKDB_PATH": "/nowhere/x.duckdb"}
    )
    assert (done.returncode, done.stderr) == (
        1,
        "nba load: /nowhere is missing: give the folder that holds the files <table>.csv or <table>.parquet\n",
    )
