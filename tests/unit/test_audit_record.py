"""Events of commands stand or fall with what they tell of."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from nba.audit import record
from nba.audit.chain import first_broken_link
from nba.audit.verify import read_events
from nba.errors import NbaError
from nba.load.write import replace_tables
from nba.project import Column, Table
from nba.warehouse.duckdb_file import DuckDBWarehouse

LOG = "(sequence bigint primary key, recorded_at timestamp, recorded_by text, event text, run_id text, subject text, details text, "
LOG += "previous_hash text, hash text)"
BUDGET = Table("rule_budget", "rules", False, (Column("channel", "text", True),))
ACCESS = Table("rule_access", "rules", False, (Column("channel", "text", True),))


@pytest.fixture
def warehouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("NBA_ACTOR", "carla")
    opened = DuckDBWarehouse(tmp_path / "world.duckdb")
    opened.execute("create schema memory")
    yield opened
    opened.close()


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    path = tmp_path / "scratch.duckdb"
    with duckdb.connect(str(path)) as con:
        con.execute("create schema raw; create table raw.rule_budget as select 'email' as channel")
        con.execute("create table raw.rule_access as select 'visit' as channel")
    return path


def test_a_load_is_told_once_with_all_its_tables(warehouse: DuckDBWarehouse, scratch: Path) -> None:
    warehouse.execute(f"create table memory.audit_log {LOG}")
    replace_tables(warehouse, scratch, "raw", {BUDGET: 1, ACCESS: 1}, print)
    (event,) = read_events(warehouse, "")
    assert (event.event, event.subject, event.recorded_by) == ("inputs_loaded", "raw", "carla")
    assert event.details == '{"tables": {"rule_access": 1, "rule_budget": 1}}'
    assert first_broken_link([event]) is None


def test_a_load_that_fails_is_not_told(warehouse: DuckDBWarehouse, scratch: Path) -> None:
    warehouse.execute(f"create table memory.audit_log {LOG}")
    with pytest.raises(duckdb.CatalogException):
        replace_tables(warehouse, scratch, "raw", {BUDGET: 1, Table("rule_consent", "rules", False, ()): 1}, print)
    assert read_events(warehouse, "") == []


def test_before_the_first_build_there_is_no_log(warehouse: DuckDBWarehouse, scratch: Path) -> None:
    replace_tables(warehouse, scratch, "raw", {BUDGET: 1}, print)
    assert record(warehouse, "", "rolled_back") is None
    with pytest.raises(NbaError, match=r"there is no memory.audit_log: the first `dbt build` opens it"):
        read_events(warehouse, "")


def test_text_of_any_kind_keeps_its_hash(warehouse: DuckDBWarehouse) -> None:
    warehouse.execute(f"create table memory.audit_log {LOG}")
    for text in ("a'b\"c", "line\nfeed\\n", "Ünïcode 💊", "%s $run_id", "x" * 10_000, None):
        with warehouse.transaction():
            record(warehouse, "", "inputs_loaded", text, {"said": text})
    events = read_events(warehouse, "")
    assert len(events) == 6 and first_broken_link(events) is None
