"""`nba load` and `nba init-rules` into PostgreSQL: what is stored, kept and refused, and that it is all or nothing. The content checks are
the same as on DuckDB (they run on a scratch file) and have their tests in tests/pipeline."""

# ruff: noqa: E501 - texts that the user sees stay on one line
from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest
from killed_load import STRIKES, TABLES, struck_load
from postgres_server import PostgresServer

from nba.cli import main
from nba.errors import NbaError
from nba.load.checks import Findings
from nba.load.command import LoadRequest, load_folder
from nba.load.problems import LoadError
from nba.project import find_project, read_contract
from nba.warehouse import Relation, connect, reading, resolve_target
from nba.warehouse.postgres_connections import credentials_of

ROOT = find_project(Path(__file__).parent)
RULES = [table.name for table in read_contract(ROOT).rules]
INPUTS = {
    "hcp_master": "hcp_id,years_in_practice\n001,7\n",
    "engagement_history": "hcp_id,channel,period_start,touches,responses,known_at\n001,email,2025-12-29,1,,2026-01-01T10:30:00Z\n",
    "kpi_metrics": "hcp_id,period_start,kpi_value\n001,2025-12-29,3\n",
    "engagement_action_catalog": "channel,unit_cost,expected_uplift,requires_consent\nemail,1,0.2,true\n",
}
BUDGET = "channel,territory_id,max_cost\nemail,,100\n"
TYPES = "select attname, format_type(atttypid, atttypmod) from pg_attribute where attrelid = '{}'::regclass and attnum > 0 order by attnum"


class Loads:
    """Loads into one database of the test server; the dbt checks find nothing."""

    def __init__(self, server: PostgresServer, folder: Path) -> None:
        self.server, self.folder, self.number = server, folder, 0

    def load(self, tables: dict[str, str | pa.Table], **options: Any) -> list[str]:
        self.number += 1
        folder = self.folder / f"load_{self.number}"
        folder.mkdir()
        for name, content in tables.items():
            if isinstance(content, str):
                (folder / f"{name}.csv").write_text(content)
            else:
                pyarrow.parquet.write_table(content, folder / f"{name}.parquet")
        lines: list[str] = []
        request = {"folder": folder, "project_dir": ROOT, "today": date(2026, 1, 5), "target": "postgres", **options}
        load_folder(LoadRequest(**request), lines.append)
        return lines

    def query(self, sql: str) -> list[tuple]:
        return self.server.run_sql("loads", sql)


@pytest.fixture
def loads(postgres: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Loads:
    postgres.create_database("loads")
    for name, value in postgres.env("loads").items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("DBT_PROFILES_DIR", raising=False)
    monkeypatch.setattr("nba.load.checks.run_checks", lambda *_: Findings((), (), "week", date(2025, 12, 29)))
    return Loads(postgres, tmp_path)


def test_a_first_load_writes_the_types_of_the_contract(loads: Loads) -> None:
    lines = loads.load({**INPUTS, "rule_budget": BUDGET})
    assert lines[-1] == "dbt build --target postgres --vars '{input_schema: raw, nba_cycle_start: \"2026-01-05\"}'"
    assert f"Created empty, so not used: {', '.join(name for name in RULES if name not in ('rule_budget', 'rule_consent'))}." in lines
    there = {name for (name,) in loads.query("select tablename from pg_tables where schemaname = 'raw'")}
    assert there == {*INPUTS, *RULES}
    assert loads.query(TYPES.format("raw.hcp_master")) == [("hcp_id", "text"), ("years_in_practice", "bigint")]
    assert dict(loads.query(TYPES.format("raw.engagement_history"))) == {
        "hcp_id": "text",
        "channel": "text",
        "period_start": "date",
        "touches": "integer",
        "responses": "integer",
        "known_at": "timestamp without time zone",
    }
    assert loads.query("select hcp_id, touches, responses, known_at::text from raw.engagement_history") == [
        ("001", 1, None, "2026-01-01 10:30:00")
    ]
    assert loads.query("select requires_consent, expected_uplift from raw.engagement_action_catalog") == [(True, 0.2)]
    assert dict(loads.query(TYPES.format("raw.rule_consent")))["captured_at"] == "timestamp without time zone"


def test_text_comes_back_as_it_was(loads: Loads) -> None:
    names = ["a,b", 'say "so"', "back\\slash \\N \\.", "two\nlines\r", "O'Neil", "tab\t", "ünï €", "null", "  blanks "]
    ids = [f"{place:03}" for place in range(len(names))]
    odd = pa.array([*range(len(names) - 1), 2**63], pa.uint64())
    loads.load({**INPUTS, "hcp_master": pa.table({"hcp_id": ids, "full_name": names, "big": odd, "day": [date(2026, 1, 1)] * len(names)})})
    assert loads.query("select full_name from raw.hcp_master order by hcp_id") == [(name,) for name in names]
    assert loads.query("select big, day from raw.hcp_master where hcp_id = '008'") == [(2.0**63, date(2026, 1, 1))]


def test_what_postgres_cannot_store_is_refused_before_anything_is_written(loads: Loads) -> None:
    long_name = "n" * 64
    folder = {
        **INPUTS,
        "hcp_master": pa.table({"hcp_id": ["1", "2", "3"], "full_name": ["a", "b\0c", None], "xmin": [1, 2, 3], long_name: [1, 1, 1]}),
    }
    with pytest.raises(LoadError) as raised:
        loads.load(folder)
    assert str(raised.value) == (
        "the folder was refused (3 problems). Nothing was written.\n"
        "1. hcp_master.xmin bears a name that PostgreSQL keeps for itself. What to do: rename the column.\n"
        f"2. hcp_master has a column name longer than the 63 bytes that PostgreSQL keeps. Examples: {'n' * 57}.... What to do: shorten the name.\n"
        "3. hcp_master.full_name holds the character 0, which PostgreSQL does not store (1 row). Examples: 'b\\0c' (row 2). What to do: take it out of the text."
    )
    assert loads.query("select count(*) from pg_namespace where nspname = 'raw'") == [(0,)]


def test_a_repeated_load_keeps_what_stands_on_the_tables(loads: Loads) -> None:
    loads.load(INPUTS)
    loads.query("create schema base; create view base.base_hcp_master as select hcp_id from raw.hcp_master")
    loads.query("drop role if exists looker; create role looker; grant select on raw.hcp_master to looker")
    loads.load({**INPUTS, "hcp_master": "years_in_practice,hcp_id\n1,002\n2,003\n"})
    assert loads.query("select hcp_id from base.base_hcp_master order by 1") == [("002",), ("003",)]
    assert loads.query("select has_table_privilege('looker', 'raw.hcp_master', 'select')") == [(True,)]
    # other columns: the views of the build go with the old table, and the next build makes them again
    loads.load({**INPUTS, "hcp_master": "hcp_id,segment\n004,A\n"})
    assert loads.query("select * from raw.hcp_master") == [("004", "A")]
    assert loads.query("select count(*) from pg_views where schemaname = 'base'") == [(0,)]
    loads.query("create schema mine; create view mine.hcps as select hcp_id from raw.hcp_master")
    with pytest.raises(NbaError) as raised:
        loads.load({**INPUTS, "kpi_metrics": "hcp_id,period_start,kpi_value\n001,2025-12-29,9\n", "hcp_master": "hcp_id,decile\n005,1\n"})
    assert str(raised.value) == (
        '"raw"."hcp_master" gets other columns, but views stand on it: mine.hcps. Drop them or load into another --schema. Nothing was written.'
    )
    assert loads.query("select kpi_value from raw.kpi_metrics") == [(3.0,)]
    assert loads.query("select * from mine.hcps") == [("004",)]


def test_partial_and_replaced_rules_are_those_of_the_other_engine(loads: Loads) -> None:
    loads.load({**INPUTS, "rule_budget": BUDGET, "rule_consent": "hcp_id,channel,status,captured_at\n001,email,opt_in,2025-01-01\n"})
    lines = loads.load({"hcp_master": "hcp_id\n001\n002\n"}, partial=True)
    assert "  hcp_master: 2 rows, written" in lines
    assert "  kpi_metrics: 1 row, stays as it is" in lines
    assert "  rule_budget: 1 row, stays as it is" in lines
    with pytest.raises(LoadError, match=r"rule_budget would be emptied: the file has no rows, but raw.rule_budget holds 1"):
        loads.load({**INPUTS, "rule_budget": "channel,territory_id,max_cost\n"})
    lines = loads.load(INPUTS, replace_rules=True)
    assert "  rule_budget: 0 rows, emptied" in lines
    assert loads.query("select (select count(*) from raw.rule_budget), (select count(*) from raw.rule_consent)") == [(0, 0)]


def test_views_and_names_of_another_case_are_refused(loads: Loads) -> None:
    loads.query("create schema own; create view own.kpi_metrics as select 1 as x; create schema loud")
    loads.query('create table loud."HCP_MASTER" (hcp_id text)')
    with pytest.raises(NbaError, match=r"schema own holds views of these names: kpi_metrics. Drop them or load into another --schema."):
        loads.load(INPUTS, schema="own")
    with pytest.raises(NbaError, match=r"schema loud holds HCP_MASTER: the names of the contract are in small letters, rename them first"):
        loads.load(INPUTS, schema="loud")


def test_one_writer_at_a_time_and_readers_are_waited_for_only_so_long(loads: Loads, monkeypatch: pytest.MonkeyPatch) -> None:
    loads.load(INPUTS)
    other = connect("postgres", ROOT)
    other.hold("raw")
    with pytest.raises(NbaError, match=r"another nba command is writing into schema raw of database loads at .*: wait for its end"):
        loads.load(INPUTS)
    loads.load(INPUTS, schema="elsewhere")
    other.close()
    monkeypatch.setattr("nba.warehouse.postgres.LOCK_WAIT", "100ms")
    build = connect("postgres", ROOT)
    with build.transaction():
        build.rows("select count(*) from raw.kpi_metrics")
        with pytest.raises(NbaError, match=r"the tables are in use, by a build or by a reader, for more than 100ms. Nothing was written"):
            loads.load({**INPUTS, "hcp_master": "hcp_id\n009\n"})
    build.close()
    assert loads.query("select hcp_id from raw.hcp_master") == [("001",)]


def test_who_may_not_write_is_told_so(loads: Loads, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    loads.query("drop role if exists visitor; create role visitor login")
    monkeypatch.setenv("NBA_PG_USER", "visitor")
    assert main(["init-rules", "--target", "postgres"]) == 1
    assert capsys.readouterr().err.startswith("nba init-rules: visitor may not do this in database loads at ")
    monkeypatch.setenv("NBA_PG_USER", "nobody_here")
    assert main(["init-rules", "--target", "postgres"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("nba init-rules: cannot open database loads at ")
    assert 'role "nobody_here" does not exist' in said
    assert "trusted" not in said


def test_init_rules_creates_only_what_is_missing(loads: Loads, capsys: pytest.CaptureFixture[str]) -> None:
    loads.query("create schema mine; create table mine.rule_budget (channel text, territory_id text, max_cost double precision)")
    assert main(["init-rules", "--schema", "mine", "--target", "postgres"]) == 0
    assert capsys.readouterr().out == f"Created empty in schema mine: {', '.join(name for name in RULES if name != 'rule_budget')}.\n"
    assert main(["init-rules", "--schema", "mine", "--target", "postgres"]) == 0
    assert capsys.readouterr().out == "Schema mine has all rule tables already; nothing was created.\n"


@pytest.mark.parametrize("stop", STRIKES)
def test_a_load_struck_between_two_tables_changes_nothing(stop: str, loads: Loads, tmp_path: Path) -> None:
    loads.query("create schema raw")
    for table in TABLES[:2]:
        loads.query(f"create table raw.{table} as select x::bigint from generate_series(1, 2) as series(x)")
    struck_load("postgres", ROOT, tmp_path / "scratch.duckdb", stop)
    counts = "select (select count(*) from raw.hcp_master), (select count(*) from raw.kpi_metrics), to_regclass('raw.rule_budget')"
    assert loads.query(counts) == [(2, 2, None)]


def test_a_reader_sees_one_moment_and_cannot_write(loads: Loads) -> None:
    loads.load(INPUTS)
    with reading("postgres", ROOT) as warehouse:
        count = "select count(*) as n from raw.hcp_master"
        assert warehouse.query(count).to_pydict() == {"n": [1]}
        loads.query("delete from raw.hcp_master")
        assert warehouse.query(count).to_pydict() == {"n": [1]}
        assert warehouse.rows(count) == [(1,)]
        relation = Relation(warehouse, "raw", "engagement_history").filter("touches > 0").project('"hcp_id", "period_start"')
        assert relation.to_arrow_table().to_pydict() == {"hcp_id": ["001"], "period_start": [date(2025, 12, 29)]}
        for attempt in ("delete from raw.hcp_master", "create table raw.x (y text)"):
            with pytest.raises(Exception, match="read-only transaction"):
                warehouse.execute(attempt)
            warehouse.connection.rollback()


def test_settings_are_those_of_dbt(loads: Loads, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = credentials_of(resolve_target("postgres", ROOT))
    assert (found.database, found.user, found.port) == ("loads", loads.server.user, loads.server.port)
    monkeypatch.setenv("DBT_PROFILES_DIR", str(tmp_path))
    (tmp_path / "profiles.yml").write_text(
        "nba: {target: p, outputs: {p: {type: postgres, host: h, port: five, user: u, pass: secret, dbname: d}}}"
    )
    with pytest.raises(NbaError, match=r"target p in profiles.yml cannot be used: invalid literal for int\(\) with base 10: 'five'"):
        credentials_of(resolve_target(None, ROOT))
    (tmp_path / "profiles.yml").write_text("nba: {target: p, outputs: {p: {type: postgres, host: h, port: 5432, pass: secret, dbname: d}}}")
    with pytest.raises(NbaError, match=r"target p in profiles.yml cannot be used: 'user' is a required property"):
        credentials_of(resolve_target(None, ROOT))
