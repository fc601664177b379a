"""What `nba replay` does before and after its build: which run, what was kept, memory as it was, what differs."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from nba.audit.chain import COLUMNS, Event
from nba.audit.past import PastRun, read_past_run
from nba.audit.replay import Difference, check_code
from nba.audit.stage import Stage
from nba.errors import NbaError
from nba.warehouse.duckdb_file import DuckDBWarehouse

START = datetime(2026, 1, 5, 8)
CYCLE = date(2026, 1, 5)
HASHES = {"hcps": "h" * 64}


def append(con: duckdb.DuckDBPyConnection, event: str, run: str, details: dict) -> None:
    """One more event; an hour lies between two."""
    newest = con.execute("select sequence, hash from memory.audit_log order by sequence desc limit 1").fetchone() or (0, "")
    moment = START + timedelta(hours=newest[0])
    sealed = Event(newest[0] + 1, moment, "anna", event, run, None, json.dumps(details), newest[1]).sealed
    con.execute(f"insert into memory.audit_log values ({', '.join('?' * len(COLUMNS))})", [getattr(sealed, name) for name in COLUMNS])


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    """Three published runs a, b and c; the inputs of b are kept whole, of c no copy of the KPI, of a none."""
    path = tmp_path / "world.duckdb"
    with duckdb.connect(str(path)) as con:
        con.execute("create schema memory; create schema kept")
        con.execute(
            "create table memory.audit_log (sequence bigint, recorded_at timestamp, recorded_by text, event text, run_id text, "
            "subject text, details text, previous_hash text, hash text)"
        )
        con.execute("create table memory.publications (run_id text, cycle_start date, published_at timestamp, action text)")
        con.execute("create table memory.plan_summary (run_id text, cycle_start date, code_version text)")
        con.execute("create table memory.inputs_by_run (run_id text, table_name text, kept_as text, not_kept text)")
        con.execute("create table memory.hcps (run_id text, hcp_id text, kpi_level double, changed_by text)")
        con.execute("create table memory.role_access (login text)")
        con.execute("create table kept.hcp_master_1 as select '001' as hcp_id, cast(1.5 as decimal(9, 2)) as own_score, [1, 2] as codes")
        for run in "abc":
            append(con, "run_started", run, {"given": {"nba_seed": 3, "input_schema": "raw"}})
            append(con, "plan_published", run, {"tables": HASHES})
            ((moment,),) = con.execute("select max(recorded_at) from memory.audit_log").fetchall()
            con.execute("insert into memory.publications values (?, ?, ?, 'publish')", [run, CYCLE, moment])
            con.execute("insert into memory.plan_summary values (?, ?, ?)", [run, CYCLE, f"code of {run}"])
            con.execute("insert into memory.hcps values (?, '001', 1.0, 'x'), (?, '002', 2.0, 'x')", [run, run])
        append(con, "rolled_back", "a", {})
        con.execute("insert into memory.publications values ('a', ?, ?, 'rollback')", [CYCLE, START + timedelta(days=2)])
        con.execute(
            "insert into memory.inputs_by_run values ('a', 'kpi_metrics', 'kpi_metrics_9', null), "
            "('b', 'hcp_master', 'hcp_master_1', null), ('b', 'current_plan', null, 'is not there'), "
            "('c', 'kpi_metrics', null, '30 rows, nba_keep_input_rows is 20')"
        )
    return path


def past_run(path: Path, name: str) -> PastRun:
    opened = DuckDBWarehouse(path, read_only=True)
    try:
        return read_past_run(opened, "", name)
    finally:
        opened.close()


def test_a_run_is_read_as_it_was_recorded(warehouse: Path) -> None:
    past = past_run(warehouse, "b")
    assert (past.run_id, past.cycle_start, past.started, past.by, past.code_version) == ("b", CYCLE, 3, "anna", "code of b")
    assert (past.kept, past.hashes, past.switches["nba_seed"]) == ({"hcp_master": "hcp_master_1"}, HASHES, 3)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("z", "run z is not in the audit log; published runs there: a, b, c"),
        ("first", r"the inputs of run a are not kept.*kpi_metrics \(its copy kpi_metrics_9 was deleted\)"),
        ("published", "the inputs of run a are not kept"),
        ("c", r"kpi_metrics \(30 rows, nba_keep_input_rows is 20\).*raise them for runs to come"),
    ],
)
def test_what_cannot_be_built_again_is_said(warehouse: Path, name: str, says: str) -> None:
    with pytest.raises(NbaError, match=says):
        past_run(warehouse, name)


def test_another_code_is_refused_unless_it_is_wanted(warehouse: Path) -> None:
    from nba.versions import code_version

    past, lines = past_run(warehouse, "b"), []
    with pytest.raises(NbaError, match=rf"run b was built by code code of b, this is {code_version()}. What to do: check out"):
        check_code(past, False, lines.append)
    check_code(past, True, lines.append)
    assert lines == [f"Note: run b was built by code code of b, this is {code_version()}; differences may come from that."]
    check_code(replace(past, code_version=code_version()), False, lines.append)
    assert len(lines) == 1


@pytest.fixture
def stage(warehouse: Path, tmp_path: Path):
    folder = tmp_path / "stage"
    folder.mkdir()
    made = Stage(past_run(warehouse, "b"), tmp_path, folder, folder, "replay", "nba_source.", "", warehouse)
    made.open()
    yield made
    made.clear()


def test_inputs_and_memory_are_those_that_the_run_found(stage: Stage) -> None:
    stage.prepare()
    rows = stage.warehouse.rows
    assert rows("select * from replay_inputs.hcp_master") == rows("select * from nba_source.kept.hcp_master_1")
    types = rows("select data_type from information_schema.columns where table_schema = 'replay_inputs' order by column_name")
    assert types == [("INTEGER[]",), ("VARCHAR",), ("DECIMAL(9,2)",)]
    assert rows("select distinct run_id from memory.hcps") == [("a",)]
    assert rows("select run_id, action from memory.publications") == [("a", "publish")]
    assert rows("select max(sequence) from memory.audit_log") == [(2,)]
    assert rows("select count(*) from information_schema.tables where table_catalog = 'replay' and table_name = 'role_access'") == [(0,)]
    assert stage.switches["nba_seed"] == 3
    assert (stage.switches["input_schema"], stage.switches["nba_cycle_start"]) == ("replay_inputs", "2026-01-05")


def test_rows_that_only_one_side_has_are_counted(stage: Stage) -> None:
    stage.prepare()
    stage.warehouse.execute("insert into memory.hcps values ('again', '001', 1.0, 'somebody else'), ('again', '002', 2.5, 'x')")
    stage.run_again = "again"
    assert (stage.rows_before("hcps"), stage.rows_apart("hcps")) == (2, 2)
    assert Difference("hcps", 2, 2, 2).line() == "  hcps: 2 rows then, 2 now; 2 rows stand on one side only"
    assert Difference("hcps", None, 2, None).line() == "  hcps: ? rows then, 2 now; its rows are no longer kept"
